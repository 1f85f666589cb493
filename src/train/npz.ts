import { zipSync } from 'fflate';
import type { HostTensor } from '../core/tensor';

/** A NumPy archive: one `.npy` file an array, uncompressed, in the order given. `numpy.load(…).files` keeps it. */
export function writeNpz(arrays: readonly (HostTensor & { readonly name: string })[]): Uint8Array {
  const files = Object.fromEntries(arrays.map((array) => [`${array.name}.npy`, writeNpy(array)]));
  // Zip files hold local time; this is the first that they can hold.
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}

/** Format 1.0: magic, version, length of the header, the header as a Python dictionary padded to 64, little-endian data. */
function writeNpy({ shape, data }: HostTensor): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape.join()},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = new TextEncoder().encode(`${text.padEnd(length - 1)}\n`);
  const out = new Uint8Array(10 + length + data.byteLength);
  out.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, length & 255, length >> 8]);
  out.set(header, 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + length);
  return out;
}
