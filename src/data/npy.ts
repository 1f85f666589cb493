import { unzipSync } from 'fflate';
import { badInput } from '../core/errors';
import { sizeOf } from '../core/tensor';
import type { Features } from './dataset';
import { checkSize, sentence } from './openFile';
import { quote } from './table';

/**
 * NumPy's formats (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). Our own: npyjs brings a `fetch` for
 * browsers, returns big integers as such, and trusts the header.
 */

type Read = (view: DataView, offset: number, little: boolean) => number;

const TYPES: Readonly<Record<string, readonly [bytes: number, read: Read]>> = {
  b1: [1, (view, at) => Number(view.getUint8(at) !== 0)],
  u1: [1, (view, at) => view.getUint8(at)],
  i1: [1, (view, at) => view.getInt8(at)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  u8: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  f2: [2, (view, at, little) => half(view.getUint16(at, little))],
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
};

/** 1 sign bit, 5 of exponent, 10 of fraction. */
function half(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Reads an NPY file; the first dimension counts rows.
 *
 * @param name for messages
 * @throws ShrinkError `data-format` when it is not NPY, holds no numbers or is cut off
 */
export function readNpy(bytes: Uint8Array, name: string): Features {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY' || bytes[0] !== 0x93)
    throw wrong(name, 'is no NPY file; write it with numpy.save');
  const long = (bytes[6] ?? 0) >= 2;
  const start = (long ? 12 : 10) + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = new TextDecoder('latin1').decode(bytes.subarray(long ? 12 : 10, Math.min(start, 2 ** 16)));
  const type = /'descr':\s*'([<>|=])([a-zA-Z]\d+)'/.exec(header);
  const shapeText = /'shape':\s*\(([\d,\sL]*)\)/.exec(header)?.[1];
  const known = TYPES[type?.[2] ?? ''];
  if (shapeText === undefined) throw wrong(name, 'has no readable header; write it again with numpy.save');
  if (type === null || known === undefined) {
    const kind = /'descr':\s*('[^']*'|\[)/.exec(header)?.[1] ?? 'nothing known';
    throw wrong(name, `holds ${quote(kind)}, no numbers; save a bool, int or float array`);
  }
  const all = shapeText
    .split(',')
    .map((part) => part.trim().replace('L', ''))
    .filter((part) => part !== '')
    .map(Number);
  if (all.length === 0) throw wrong(name, 'holds a single number; save an array with a row each');
  const [size, read] = known;
  const count = sizeOf(all);
  if (!Number.isSafeInteger(count) || bytes.length < start + count * size)
    throw wrong(
      name,
      `is cut off: its header promises ${all.join(' × ')} values of ${size} bytes, it holds ${Math.max(0, bytes.length - start)} bytes; save it again`,
    );
  const rows = all[0] ?? 0;
  const fortran = /'fortran_order':\s*True/.test(header) && all.length > 1;
  const shape = all.slice(1);
  if (type[2] === 'u1' && !fortran) return { shape, data: bytes.slice(start, start + count), scale: 1 };
  const little = type[1] !== '>';
  const data = type[2] === 'u1' ? new Uint8Array(count) : new Float32Array(count);
  const place = fortran ? columnMajor(all) : undefined;
  for (let i = 0; i < count; i += 1) data[i] = read(view, start + (place?.(i) ?? i) * size, little);
  if (rows === 0) throw wrong(name, 'holds no rows; give it some');
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
