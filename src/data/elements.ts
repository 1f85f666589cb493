/** Numbers as files store them. */

export interface ElementType {
  readonly bytes: number;
  /** Whether stored values are the floats of this machine, bit for bit. */
  readonly isFloat32: boolean;
  /** Whether values are bytes, which pixels are. */
  readonly isByte: boolean;
  /** Whether every stored value is a finite number. */
  readonly isFinite: boolean;
  read(view: DataView, offset: number): number;
  /** Writes `count` values as floats. @param bytes packed, from the first value on */
  decode(bytes: Uint8Array, into: Float32Array, at: number, count: number): void;
}

/** @param read one value; `finite` unless it can be NaN or infinite */
export function elementType(
  bytes: number,
  read: (view: DataView, offset: number) => number,
  kind: 'byte' | 'whole' | 'float' | 'float32-here',
): ElementType {
  return {
    bytes,
    isFloat32: kind === 'float32-here',
    isByte: kind === 'byte',
    isFinite: kind === 'byte' || kind === 'whole',
    read,
    decode: (stored, into, at, count) => {
      if (kind === 'byte') {
        for (let i = 0; i < count; i += 1) into[at + i] = stored[i] ?? 0;
        return;
      }
      if (kind === 'float32-here') {
        const raw = new Uint8Array(into.buffer, into.byteOffset + at * bytes, count * bytes);
        raw.set(stored.subarray(0, count * bytes));
        return;
      }
      const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
      for (let i = 0; i < count; i += 1) into[at + i] = read(view, i * bytes);
    },
  };
}

/** Whether this machine stores the lowest byte first. */
export const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Floats as this machine stores them. */
export const FLOAT32 = elementType(4, (view, at) => view.getFloat32(at, LITTLE), 'float32-here');

/** Bytes. */
export const BYTE = elementType(1, (view, at) => view.getUint8(at), 'byte');
