import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { ShrinkError } from '../../core/errors';
import type { StoredFeatures } from '../dataset';
import type { ElementType } from '../elements';

/** Rows of one length in a file, read by number. */

export interface RowLayout {
  readonly file: string;
  /** Bytes before the first row. */
  readonly offset: number;
  readonly count: number;
  /** Shape of a row. */
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Factor that a stored value is multiplied by. */
  readonly scale: number;
}

/** Files whose rows are gone are closed. */
const closing = new FinalizationRegistry<number>((descriptor) => {
  try {
    closeSync(descriptor);
  } catch {
    // Closed already.
  }
});

/** Opens the rows of a file. @throws what `open` throws */
export function openRows(layout: RowLayout): StoredFeatures {
  const { file, offset, count, shape, type, scale } = layout;
  // Held by whatever reads, so that the file is closed after the last of them.
  const opened = { descriptor: openSync(file, 'r') };
  closing.register(opened, opened.descriptor);
  const size = shape.reduce((product, length) => product * length, 1);
  const rowBytes = size * type.bytes;
  // Rows that are floats already are read to where they belong.
  const direct = type.isFloat32 && scale === 1;
  let raw = Buffer.alloc(direct ? 0 : rowBytes);
  const read = (into: Uint8Array, start: number): void => {
    for (let done = 0; done < into.length;) {
      const got = readSync(
        opened.descriptor,
        into,
        done,
        into.length - done,
        offset + start * rowBytes + done,
      );
      if (got === 0)
        throw new ShrinkError(
          'environment',
          'data-changed',
          `${file} became shorter while it was read; leave it as it is and resume the run.`,
        );
      done += got;
    }
  };
  return {
    shape,
    fill: (indices, into) => {
      for (let i = 0; i < indices.length;) {
        const start = indices[i] ?? 0;
        let run = 1;
        while (indices[i + run] === start + run) run += 1;
        if (direct) read(new Uint8Array(into.buffer, into.byteOffset + i * rowBytes, run * rowBytes), start);
        else {
          if (raw.length < run * rowBytes) raw = Buffer.alloc(run * rowBytes);
          const bytes = raw.subarray(0, run * rowBytes);
          read(bytes, start);
          type.decode(bytes, into, i * size, run * size);
          if (scale !== 1)
            for (let j = i * size; j < (i + run) * size; j += 1) into[j] = (into[j] ?? 0) * scale;
        }
        i += run;
      }
    },
    ordered: () => Uint32Array.from({ length: count }, (_, row) => row),
  };
}

/** Writing failed; the cause says why. A class of its own, so that no reader takes it for a damaged file. */
export class WriteFailed extends Error {
  override readonly name = 'WriteFailed';
}

/** Bytes that are written at once. */
const BLOCK = 2 ** 20;

/** Writes a file from front to back. */
export class BlockWriter {
  private readonly descriptor: number;
  private readonly block = Buffer.alloc(BLOCK);
  private used = 0;

  constructor(file: string) {
    this.descriptor = openSync(file, 'wx', 0o600);
  }

  write(values: ArrayBufferView): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    for (let done = 0; done < bytes.length;) {
      const part = bytes.subarray(done, done + BLOCK - this.used);
      this.block.set(part, this.used);
      this.used += part.length;
      done += part.length;
      if (this.used === BLOCK) this.flush();
    }
  }

  /** @throws what writing throws, e.g. with the code ENOSPC */
  end(): void {
    try {
      this.flush();
    } finally {
      closeSync(this.descriptor);
    }
  }

  private flush(): void {
    try {
      this.writeBlock();
    } catch (thrown) {
      throw new WriteFailed('the disk does not take it', { cause: thrown });
    }
  }

  private writeBlock(): void {
    for (let done = 0; done < this.used;)
      done += writeSync(this.descriptor, this.block, done, this.used - done);
    this.used = 0;
  }
}
