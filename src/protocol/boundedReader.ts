import type { Readable } from 'node:stream';
import {
  AbstractMessageReader,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageReader,
} from 'vscode-jsonrpc/node.js';

/**
 * Reads messages with `Content-Length` headers as `StreamMessageReader` does, but bounded: that one buffers
 * whatever length a peer announces. After the first mistake nothing more is read.
 */

const MAX_HEADER_BYTES = 1024;
const HEADER_END = '\r\n\r\n';

/** @returns the announced length, or undefined if the header is not one of ours */
export function parseHeader(header: string): number | undefined {
  let length: number | undefined;
  for (const line of header.split('\r\n')) {
    const match = /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line);
    if (match === null) return undefined;
    if (match[1]?.toLowerCase() !== 'content-length') continue;
    if (length !== undefined || !/^\d{1,12}$/.test(match[2] ?? '')) return undefined;
    length = Number(match[2]);
  }
  return length;
}

export class BoundedReader extends AbstractMessageReader implements MessageReader {
  private chunks: Buffer[] = [];
  private buffered = 0;
  /** Length of the message whose header has been read. */
  private expected: number | undefined;
  private broken = false;

  /**
   * @param maxBytes longest message that is accepted
   * @param accept throws if a message is not of the shape that is accepted
   */
  constructor(
    private readonly stream: Readable,
    private readonly maxBytes: number,
    private readonly accept: (value: unknown) => Message,
  ) {
    super();
  }

  listen(callback: DataCallback): Disposable {
    const onData = (chunk: Buffer): void => {
      if (this.broken) return;
      this.chunks.push(chunk);
      this.buffered += chunk.byteLength;
      try {
        this.readMessages(callback);
      } catch (error) {
        this.broken = true;
        this.chunks = [];
        this.fireError(error);
      }
    };
    const onError = (error: Error): void => this.fireError(error);
    const onClose = (): void => this.fireClose();
    this.stream.on('data', onData).on('error', onError).on('close', onClose);
    return {
      dispose: () => {
        this.stream.off('data', onData).off('error', onError).off('close', onClose);
      },
    };
  }

  private readMessages(callback: DataCallback): void {
    for (;;) {
      if (this.expected === undefined) {
        const all = this.join();
        const end = all.subarray(0, MAX_HEADER_BYTES + HEADER_END.length).indexOf(HEADER_END);
        if (end < 0) {
          if (all.byteLength > MAX_HEADER_BYTES) throw new RangeError('the header of a message is too long');
          return;
        }
        const length = parseHeader(all.toString('latin1', 0, end));
        if (length === undefined) throw new RangeError('the header of a message cannot be understood');
        if (length > this.maxBytes)
          throw new RangeError(`a message of ${length} bytes is longer than the ${this.maxBytes} allowed`);
        this.replace(all.subarray(end + HEADER_END.length));
        this.expected = length;
      }
      if (this.buffered < this.expected) return;
      const all = this.join();
      const body = all.toString('utf8', 0, this.expected);
      this.replace(all.subarray(this.expected));
      this.expected = undefined;
      callback(this.accept(JSON.parse(body)));
    }
  }

  private join(): Buffer {
    const [first] = this.chunks;
    if (this.chunks.length === 1 && first !== undefined) return first;
    const all = Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }

  private replace(rest: Buffer): void {
    this.chunks = [rest];
    this.buffered = rest.byteLength;
  }
}
