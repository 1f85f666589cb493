import { badInput } from '../core/errors';
import type { Features } from './dataset';
import { BYTE, elementType, type ElementType } from './elements';

/** Element types of the IDX format (LeCun, http://yann.lecun.com/exdb/mnist/) by their code. */
const TYPES: Readonly<Record<number, ElementType>> = {
  0x08: BYTE,
  0x09: elementType(1, (view, offset) => view.getInt8(offset), 'whole'),
  0x0b: elementType(2, (view, offset) => view.getInt16(offset), 'whole'),
  0x0c: elementType(4, (view, offset) => view.getInt32(offset), 'whole'),
  0x0d: elementType(4, (view, offset) => view.getFloat32(offset), 'float'),
  0x0e: elementType(8, (view, offset) => view.getFloat64(offset), 'float'),
};

/** Whether bytes start like an IDX file: two zeros, a type code, a rank. */
export function isIdx(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0 && (bytes[2] ?? 0) in TYPES && (bytes[3] ?? 0) > 0
  );
}

/** What the header of an IDX file says. */
export interface IdxHeader {
  /** Byte of the first value. */
  readonly start: number;
  /** All lengths, that of the rows first. */
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/**
 * Reads the header of an IDX file.
 *
 * @param head its first bytes, 1028 of them or all
 * @param total bytes of the whole file
 * @throws ShrinkError `data-format` when it is not IDX or shorter than its header says
 */
export function readIdxHeader(head: Uint8Array, total: number, name: string): IdxHeader {
  const type = TYPES[head[2] ?? 0];
  if (!isIdx(head) || type === undefined)
    throw badInput('data-format', `${name} is no IDX file; give IDX, NPY or CSV files.`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const rank = head[3] ?? 0;
  const start = 4 + 4 * rank;
  const shape = Array.from({ length: rank }, (_, i) =>
    head.length >= start ? view.getUint32(4 + 4 * i) : 0,
  );
  const count = shape.reduce((product, length) => product * length, 1);
  if (total < start + count * type.bytes)
    throw badInput(
      'data-format',
      `${name} is cut off: its header promises ${shape.join(' × ')} values, it holds ${Math.max(0, total - start)} bytes of them; fetch it again.`,
    );
  return { start, shape, type };
}

/**
 * Reads an IDX file; the first dimension counts rows.
 *
 * @param name for messages
 * @throws ShrinkError `data-format` when it is not IDX or shorter than its header says
 */
export function readIdx(bytes: Uint8Array, name: string): Features {
  const { start, shape: all, type } = readIdxHeader(bytes, bytes.length, name);
  const count = all.reduce((product, length) => product * length, 1);
  const shape = all.slice(1);
  if (type.isByte) return { shape, data: bytes.subarray(start, start + count), scale: 1 };
  const data = new Float32Array(count);
  type.decode(bytes.subarray(start), data, 0, count);
  return { shape, data, scale: 1 };
}
