/**
 * Writes the protocol buffer wire format (https://protobuf.dev/programming-guides/encoding/), as far as an ONNX model
 * needs it: a field is a tag (`number * 8 + kind`) and a varint, four bytes, or a length and bytes.
 */

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

export class MessageWriter {
  #bytes = new Uint8Array(256);
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
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, write: (message: MessageWriter) => void): this {
    const inner = new MessageWriter();
    write(inner);
    return this.bytes(field, inner.finish());
  }

  /** The message so far. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
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
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
