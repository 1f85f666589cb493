/**
 * Writes the protocol buffer wire format (https://protobuf.dev/programming-guides/encoding/), as far as an ONNX model
 * needs it: a field is a tag (`number * 8 + kind`) and a varint, four bytes, or a length and bytes.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

const ENCODER = new TextEncoder();

export class MessageWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /** Signed 64-bit integers are written in two's complement, as `int64` fields are. */
  int(field: number, value: number): this {
    this.#varint(field * 8 + VARINT);
    this.#varint(value);
    return this;
  }

  ints(field: number, values: readonly number[]): this {
    for (const value of values) this.int(field, value);
    return this;
  }

  float(field: number, value: number): this {
    this.#varint(field * 8 + FIXED32);
    this.#append(new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#varint(value.length);
    this.#append(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.#delimited(field, () => {
      // No character takes more than three bytes.
      this.#reserve(3 * value.length);
      this.#length += ENCODER.encodeInto(value, this.#bytes.subarray(this.#length)).written;
    });
  }

  message(field: number, write: (message: MessageWriter) => void): this {
    return this.#delimited(field, () => write(this));
  }

  /** The message so far. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Writes the content in place, then its length before it: one byte is kept free, and more are made if it takes more. */
  #delimited(field: number, write: () => void): this {
    this.#varint(field * 8 + LENGTH_DELIMITED);
    this.#reserve(1);
    const start = this.#length + 1;
    this.#length = start;
    write();
    const end = this.#length;
    const size = end - start;
    let extra = 0;
    for (let rest = size; rest >= 0x80; rest = Math.floor(rest / 0x80)) extra += 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(start + extra, start, end);
    }
    this.#length = start - 1;
    this.#varint(size);
    this.#length = end + extra;
    return this;
  }

  #varint(value: number): void {
    let rest = value;
    // Nearly all are small: field numbers, lengths, sizes of axes.
    if (rest >= 0 && Number.isSafeInteger(rest)) {
      this.#reserve(8);
      for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      this.#bytes[this.#length++] = rest;
      return;
    }
    let wide = BigInt.asUintN(64, BigInt(value));
    const encoded: number[] = [];
    do {
      const low = Number(wide & 0x7fn);
      wide >>= 7n;
      encoded.push(wide === 0n ? low : low | 0x80);
    } while (wide !== 0n);
    this.#append(encoded);
  }

  #append(values: ArrayLike<number>): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Makes room for as many bytes more. */
  #reserve(count: number): void {
    const end = this.#length + count;
    if (end <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
    // All of it: a length is written when what it is the length of already stands behind it.
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
