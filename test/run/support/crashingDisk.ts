import { mkdirSync, writeFileSync } from 'node:fs';
import type * as fs from 'node:fs';
import type * as promises from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

/**
 * A disk that can lose its power. What a test writes below a root is done for real and noted; afterwards the folder can
 * be made as a power loss at any moment may leave it. What POSIX promises, and no more: content is there once the file
 * was synced, a name once its folder was; of everything else any part may be there or not.
 */

type Operation =
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: number; readonly length: number }
  | { readonly kind: 'sync'; readonly file: number }
  /** A name is given, moved here from another one, or taken away. */
  | {
      readonly kind: 'name';
      readonly path: string;
      readonly entry: Entry | undefined;
      readonly from?: string;
    }
  | { readonly kind: 'syncFolder'; readonly folder: string }
  /** Something that was promised to somebody. */
  | { readonly kind: 'told'; readonly what: string };

type Entry = number | 'folder';

/** Which of the operations that nothing made durable are there all the same. */
export type Luck = (operation: Operation, index: number) => boolean;

export class CrashingDisk {
  readonly operations: Operation[] = [];
  private root: string | undefined;
  private readonly files = new Map<string, number>();
  private count = 0;

  /** Notes from now on what happens below a folder that is empty. */
  begin(root: string): void {
    this.root = root;
  }

  end(): void {
    this.root = undefined;
  }

  tell(what: string): void {
    this.operations.push({ kind: 'told', what });
  }

  /** What had been promised before a moment. */
  toldBefore(moment: number): string[] {
    return this.operations
      .slice(0, moment)
      .flatMap((operation) => (operation.kind === 'told' ? [operation.what] : []));
  }

  /** Writes what is left when the power goes before operation `moment`. */
  materialize(moment: number, luck: Luck, into: string): void {
    const past = this.operations.slice(0, moment);
    const survives = (operation: Operation, index: number): boolean =>
      past.slice(index + 1).some((later) => makesDurable(later, operation)) || luck(operation, index);
    const names = new Map<string, Entry>();
    const contents = new Map<number, Buffer>();
    past.forEach((operation, index) => {
      if (!survives(operation, index)) return;
      if (operation.kind === 'name') {
        if (operation.from !== undefined) names.delete(operation.from);
        if (operation.entry === undefined) names.delete(operation.path);
        else names.set(operation.path, operation.entry);
      } else if (operation.kind === 'write' || operation.kind === 'truncate')
        contents.set(operation.file, apply(contents.get(operation.file) ?? Buffer.alloc(0), operation));
    });
    for (const [path, entry] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
      // Without its folder a file is nowhere.
      const parent = dirname(path);
      if (parent !== '.' && names.get(parent) !== 'folder') names.delete(path);
      else if (entry === 'folder') mkdirSync(join(into, path));
      else writeFileSync(join(into, path), contents.get(entry) ?? '');
    }
  }

  /** Relative to the root, which is itself `.`; undefined outside it. */
  private inside(path: unknown): string | undefined {
    if (this.root === undefined || typeof path !== 'string') return undefined;
    if (path === this.root) return '.';
    return path.startsWith(this.root + sep) ? relative(this.root, path) : undefined;
  }

  private opened(path: string, flags: unknown): number {
    const known = this.files.get(path);
    if (known !== undefined) {
      if (String(flags).startsWith('w')) this.operations.push({ kind: 'truncate', file: known, length: 0 });
      return known;
    }
    this.count += 1;
    this.files.set(path, this.count);
    this.operations.push({ kind: 'name', path, entry: this.count });
    return this.count;
  }

  private renamed(from: unknown, to: unknown): void {
    const [a, b] = [this.inside(from), this.inside(to)];
    const file = this.files.get(a ?? '');
    if (a === undefined || b === undefined || file === undefined) return;
    this.files.delete(a);
    this.files.set(b, file);
    this.operations.push({ kind: 'name', path: b, entry: file, from: a });
  }

  private removed(path: unknown): void {
    const inside = this.inside(path) ?? '';
    if (this.files.delete(inside)) this.operations.push({ kind: 'name', path: inside, entry: undefined });
  }

  private made(path: unknown): void {
    const inside = this.inside(path);
    if (inside !== undefined) this.operations.push({ kind: 'name', path: inside, entry: 'folder' });
  }

  /** What is done to an open file or folder; undefined for those outside the root and those only read. */
  private noterOf(path: unknown, flags: unknown, isFolder: boolean): Noter | undefined {
    const inside = this.inside(path);
    if (inside === undefined) return undefined;
    const note = (operation: Operation): void => void this.operations.push(operation);
    if (isFolder)
      return {
        write: () => undefined,
        truncate: () => undefined,
        sync: () => note({ kind: 'syncFolder', folder: inside }),
      };
    if (flags === 'r') return undefined;
    const file = this.opened(inside, flags);
    return {
      write: (at, bytes) => note({ kind: 'write', file, at, bytes: Buffer.from(bytes) }),
      truncate: (length) => note({ kind: 'truncate', file, length }),
      sync: () => note({ kind: 'sync', file }),
    };
  }

  /** `node:fs`, noting what the code under test uses of it. */
  watchSync(real: typeof fs): typeof fs {
    const open = new Map<number, Noter>();
    const watched = {
      ...real,
      openSync: (path: string, flags: string, mode?: number) => {
        const descriptor = real.openSync(path, flags, mode);
        const noter = this.noterOf(path, flags, real.fstatSync(descriptor).isDirectory());
        if (noter !== undefined) open.set(descriptor, noter);
        return descriptor;
      },
      writeSync: (descriptor: number, bytes: Uint8Array, from: number, length: number, at: number) => {
        const written = real.writeSync(descriptor, bytes, from, length, at);
        open.get(descriptor)?.write(at, bytes.subarray(from, from + written));
        return written;
      },
      ftruncateSync: (descriptor: number, length: number) => {
        real.ftruncateSync(descriptor, length);
        open.get(descriptor)?.truncate(length);
      },
      fsyncSync: (descriptor: number) => {
        real.fsyncSync(descriptor);
        open.get(descriptor)?.sync();
      },
      fdatasyncSync: (descriptor: number) => {
        real.fdatasyncSync(descriptor);
        open.get(descriptor)?.sync();
      },
      closeSync: (descriptor: number) => {
        real.closeSync(descriptor);
        open.delete(descriptor);
      },
      renameSync: (from: string, to: string) => {
        real.renameSync(from, to);
        this.renamed(from, to);
      },
    };
    return { ...watched, default: watched } as unknown as typeof fs;
  }

  /** `node:fs/promises`, noting what the code under test uses of it. */
  watch(real: typeof promises): typeof promises {
    const watched = {
      ...real,
      open: async (path: string, flags: string, mode?: number) => {
        const handle = await real.open(path, flags, mode);
        const noter = this.noterOf(path, flags, (await handle.stat()).isDirectory());
        return noter === undefined ? handle : watchHandle(handle, noter);
      },
      writeFile: async (path: string, data: Uint8Array | string, options?: fs.ObjectEncodingOptions) => {
        await real.writeFile(path, data, options);
        this.noterOf(path, 'w', false)?.write(0, Buffer.from(data as string));
      },
      rename: async (from: string, to: string) => {
        await real.rename(from, to);
        this.renamed(from, to);
      },
      rm: async (path: string, options?: fs.RmOptions) => {
        await real.rm(path, options);
        this.removed(path);
      },
      mkdir: async (path: string, options?: fs.MakeDirectoryOptions) => {
        const made = await real.mkdir(path, options);
        this.made(path);
        return made;
      },
    };
    return { ...watched, default: watched } as unknown as typeof promises;
  }
}

interface Noter {
  write(at: number, bytes: Uint8Array): void;
  truncate(length: number): void;
  sync(): void;
}

function watchHandle(handle: promises.FileHandle, noter: Noter): promises.FileHandle {
  let at = 0;
  return new Proxy(handle, {
    get(target, name) {
      if (name === 'writeFile')
        return async (data: Uint8Array | string) => {
          await target.writeFile(data);
          const bytes = Buffer.from(data as string);
          noter.write(at, bytes);
          at += bytes.byteLength;
        };
      if (name === 'sync')
        return async () => {
          await target.sync();
          noter.sync();
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function makesDurable(later: Operation, operation: Operation): boolean {
  switch (operation.kind) {
    case 'write':
    case 'truncate':
      return later.kind === 'sync' && later.file === operation.file;
    case 'name':
      return later.kind === 'syncFolder' && later.folder === dirname(operation.path);
    default:
      return true;
  }
}

function apply(content: Buffer, operation: Operation & { readonly kind: 'write' | 'truncate' }): Buffer {
  const length = operation.kind === 'truncate' ? operation.length : operation.at + operation.bytes.byteLength;
  const result = Buffer.alloc(operation.kind === 'truncate' ? length : Math.max(length, content.byteLength));
  content.copy(result);
  if (operation.kind === 'write') operation.bytes.copy(result, operation.at);
  return result;
}
