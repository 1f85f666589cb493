import { describe, expect, it } from 'vitest';
import { MessageWriter } from '../../src/engine/onnx/protobuf';

/** The first buffer of a writer has 1024 bytes; later ones are twice as long each. */
const STARTS = Array.from({ length: 300 }, (_, i) => 900 + i);

describe('the wire format', () => {
  it.each(['a', 'v3', 'seven b', 'a text that is longer'])('keeps %j wherever the buffer grows', (text) => {
    for (const before of STARTS) {
      // A tag, a length of two bytes and the bytes.
      const message = new MessageWriter().bytes(9, new Uint8Array(before).fill(7)).text(8, text).finish();
      const written = message.subarray(3 + before);
      expect(Array.from(written)).toEqual([8 * 8 + 2, text.length, ...Buffer.from(text)]);
    }
  });

  it('keeps a message in a message wherever the buffer grows', () => {
    for (const before of STARTS) {
      const message = new MessageWriter()
        .bytes(9, new Uint8Array(before).fill(7))
        .message(1, (outer) => outer.message(2, (inner) => inner.int(1, 5)))
        .finish();
      expect(Array.from(message.subarray(3 + before))).toEqual([8 + 2, 4, 16 + 2, 2, 8, 5]);
    }
  });
});
