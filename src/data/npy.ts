import { unzipSync } from 'fflate';
import { badInput } from '../core/errors';
import { sizeOf } from '../core/tensor';
import type { Features } from './dataset';
import { BYTE, elementType, FLOAT32, LITTLE, type ElementType } from './elements';
import { checkSize, sentence } from './openFile';
import { quote } from './table';

/**
 * NumPy's formats (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Our own: npyjs brings a `fetch` for
 * browsers, returns big integers as such, and trusts the header.
 */

/** A type by its letter and byte count, for both orders of bytes. */
function typeOf(code: string, little: boolean): ElementType | undefined {
  switch (code) {
    case 'b1':
      return elementType(1, (view, at) => Number(view.getUint8(at) !== 0), 'whole');
    case 'u1':
      return BYTE;
    case 'i1':
      return elementType(1, (view, at) => view.getInt8(at), 'whole');
    case 'u2':
      return elementType(2, (view, at) => view.getUint16(at, little), 'whole');
    case 'i2':
      return elementType(2, (view, at) => view.getInt16(at, little), 'whole');
    case 'u4':
      return elementType(4, (view, at) => view.getUint32(at, little), 'whole');
    case 'i4':
      return elementType(4, (view, at) => view.getInt32(at, little), 'whole');
    case 'u8':
      return elementType(8, (view, at) => Number(view.getBigUint64(at, little)), 'whole');
    case 'i8':
      return elementType(8, (view, at) => Number(view.getBigInt64(at, little)), 'whole');
    case 'f2':
      return elementType(2, (view, at) => half(view.getUint16(at, little)), 'float');
    case 'f4':
      if (little === LITTLE) return FLOAT32;
      return elementType(4, (view, at) => view.getFloat32(at, little), 'float');
    case 'f8':
      return elementType(8, (view, at) => view.getFloat64(at, little), 'float');
    default:
      return undefined;
  }
}

/** 1 sign bit, 5 of exponent, 10 of fraction. */
function half(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Bytes from the start of a file that hold any header of ours. */
export const NPY_HEAD = 2 ** 16;

/** What the header of an NPY file says. */
export interface NpyHeader {
  /** Byte of the first value. */
  readonly start: number;
  /** All lengths, that of the rows first. */
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Whether the last axis is the slowest. */
  readonly fortran: boolean;
}

/**
 * Reads the header of an NPY file.
 *
 * @param head its first bytes, {@link NPY_HEAD} of them or all
 * @param total bytes of the whole file
 * @throws ShrinkError `data-format` when it is not NPY, holds no numbers or is cut off
 */
export function readNpyHeader(head: Uint8Array, total: number, name: string): NpyHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 12 || String.fromCharCode(...head.subarray(1, 6)) !== 'NUMPY' || head[0] !== 0x93)
    throw wrong(name, 'is no NPY file; write it with numpy.save');
  const long = (head[6] ?? 0) >= 2;
  const start = (long ? 12 : 10) + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const text = new TextDecoder('latin1').decode(head.subarray(long ? 12 : 10, Math.min(start, NPY_HEAD)));
  const described = /'descr':\s*'([<>|=])([a-zA-Z]\d+)'/.exec(text);
  const shapeText = /'shape':\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (shapeText === undefined) throw wrong(name, 'has no readable header; write it again with numpy.save');
  const type = typeOf(described?.[2] ?? '', described?.[1] !== '>');
  if (type === undefined) {
    const kind = /'descr':\s*('[^']*'|\[)/.exec(text)?.[1] ?? 'nothing known';
    throw wrong(name, `holds ${quote(kind)}, no numbers; save a bool, int or float array`);
  }
  const shape = shapeText
    .split(',')
    .map((part) => part.trim().replace('L', ''))
    .filter((part) => part !== '')
    .map(Number);
  if (shape.length === 0) throw wrong(name, 'holds a single number; save an array with a row each');
  const count = sizeOf(shape);
  if (!Number.isSafeInteger(count) || total < start + count * type.bytes)
    throw wrong(
      name,
      `is cut off: its header promises ${shape.join(' × ')} values of ${type.bytes} bytes, it holds ${Math.max(0, total - start)} bytes; save it again`,
    );
  return { start, shape, type, fortran: /'fortran_order':\s*True/.test(text) && shape.length > 1 };
}

/**
 * Reads an NPY file; the first dimension counts rows.
 *
 * @param name for messages
 * @throws ShrinkError `data-format` when it is not NPY, holds no numbers or is cut off
 */
export function readNpy(bytes: Uint8Array, name: string): Features {
  const { start, shape: all, type, fortran } = readNpyHeader(bytes, bytes.length, name);
  const count = sizeOf(all);
  const shape = all.slice(1);
  if (type.isByte && !fortran) return { shape, data: bytes.slice(start, start + count), scale: 1 };
  const data = type.isByte ? new Uint8Array(count) : new Float32Array(count);
  if (data instanceof Float32Array && !fortran) type.decode(bytes.subarray(start), data, 0, count);
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const place = columnMajor(all);
    for (let i = 0; i < count; i += 1)
      data[i] = type.read(view, start + (fortran ? place(i) : i) * type.bytes);
  }
  if ((all[0] ?? 0) === 0) throw wrong(name, 'holds no rows; give it some');
  return { shape, data, scale: 1 };
}

/** Where element `i` of row-major order lies in column-major order. */
function columnMajor(shape: readonly number[]): (i: number) => number {
  return (i) => {
    let rest = i;
    let place = 0;
    let stride = sizeOf(shape);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      const length = shape[axis] ?? 1;
      stride /= length;
      place += (rest % length) * stride;
      rest = Math.floor(rest / length);
    }
    return place;
  };
}

/**
 * Reads the arrays of an NPZ file, by name.
 *
 * @throws ShrinkError `data-format` or `data-size`
 */
export function readNpz(bytes: Uint8Array, name: string): Map<string, Features> {
  let total = 0;
  let files: Readonly<Record<string, Uint8Array>>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name: entry, originalSize, size }) => {
        // Deflate makes nothing a thousand times smaller and a bit; more is a damaged header.
        if (originalSize > size * 1100 + 1024) throw new Error(`the size of ${entry} is not possible`);
        total += originalSize;
        checkSize(total, name);
        return entry.endsWith('.npy');
      },
    });
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'ShrinkError') throw thrown;
    throw badInput(
      'data-format',
      `${name} is no readable NPZ file: ${sentence(thrown)}; save it again.`,
      thrown,
    );
  }
  const arrays = new Map<string, Features>();
  for (const [entry, content] of Object.entries(files))
    arrays.set(entry.slice(0, -'.npy'.length), readNpy(content, `${entry} of ${name}`));
  return arrays;
}

function wrong(name: string, what: string): Error {
  return badInput('data-format', `${name} ${what}.`);
}
