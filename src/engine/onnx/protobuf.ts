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
    let rest = BigInt.asUintN(64, BigInt(value));
    const encoded: number[] = [];
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      encoded.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    this.#append(encoded);
  }

  #append(values: ArrayLike<number>): void {
    const end = this.#length + values.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(values, this.#length);
    this.#length = end;
  }
}
