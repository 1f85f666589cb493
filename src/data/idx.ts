import { badInput } from '../core/errors';
import type { Features } from './dataset';

/** Element types of the IDX format (LeCun, http://yann.lecun.com/exdb/mnist/) by their code, with bytes an element. */
const TYPES: Readonly<Record<number, { bytes: number; read: (view: DataView, offset: number) => number }>> = {
  0x08: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  0x09: { bytes: 1, read: (view, offset) => view.getInt8(offset) },
  0x0b: { bytes: 2, read: (view, offset) => view.getInt16(offset) },
  0x0c: { bytes: 4, read: (view, offset) => view.getInt32(offset) },
  0x0d: { bytes: 4, read: (view, offset) => view.getFloat32(offset) },
  0x0e: { bytes: 8, read: (view, offset) => view.getFloat64(offset) },
};

/** Whether bytes start like an IDX file: two zeros, a type code, a rank. */
export function isIdx(bytes: Uint8Array): boolean {
  return (
    bytes.length >= 8 && bytes[0] === 0 && bytes[1] === 0 && (bytes[2] ?? 0) in TYPES && (bytes[3] ?? 0) > 0
  );
}

/**
 * Reads an IDX file; the first dimension counts rows.
 *
 * @param name for messages
 * @throws ShrinkError `data-format` when it is not IDX or shorter than its header says
 */
export function readIdx(bytes: Uint8Array, name: string): Features {
  if (!isIdx(bytes)) throw badInput('data-format', `${name} is no IDX file; give IDX, NPY or CSV files.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = TYPES[bytes[2] ?? 0];
  const rank = bytes[3] ?? 0;
  const header = 4 + 4 * rank;
  const shape = Array.from({ length: rank }, (_, i) =>
    bytes.length >= header ? view.getUint32(4 + 4 * i) : 0,
  );
  const count = shape.reduce((product, length) => product * length, 1);
  if (type === undefined || bytes.length < header + count * type.bytes)
    throw badInput(
      'data-format',
      `${name} is cut off: its header promises ${shape.join(' × ')} values, it holds ${Math.max(0, bytes.length - header)} bytes of them; fetch it again.`,
    );
  if (bytes[2] === 0x08)
    return { shape: shape.slice(1), data: bytes.subarray(header, header + count), scale: 1 };
  const data = new Float32Array(count);
  for (let i = 0; i < count; i += 1) data[i] = type.read(view, header + i * type.bytes);
  return { shape: shape.slice(1), data, scale: 1 };
}
