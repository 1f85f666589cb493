/** Rows of bytes, as images are, become floats faster than a typed array converts them and a loop scales them. */
import {
  add,
  assemble,
  block,
  floats as four,
  get,
  i32,
  repeat,
  set,
  SIMD_INSTRUCTIONS,
  Variables,
  type AssembledFunction,
  type Code,
} from '../core/assembly/assembler';
import { webAssembly } from '../core/assembly/webAssembly';

/** Bytes that are converted at once: with their floats they stay in a second cache. */
const STAGE = 16384;
const PAGE = 65536;
const LANES = 16;

/** `convert`: floats of `count` bytes from address 0 on, times a number, at {@link STAGE}; up to whole 16 of them. */
function convert(): AssembledFunction {
  const [count, scale] = [0, 1];
  const variables = new Variables(2);
  const at = variables.local('i32');
  const bytes = variables.local('v128');
  const shorts = variables.local('v128');
  const integers = variables.local('v128');
  const factor = variables.local('v128');
  const { widenBytes, widenShorts, doublesOfIntegers, multiplyDoubles, floatsOfDoubles, splatDouble } =
    SIMD_INSTRUCTIONS;
  const pair = (of: Code): Code =>
    four.compute(
      floatsOfDoubles,
      four.compute(multiplyDoubles, four.compute(doublesOfIntegers, of), get(factor)),
    );
  const to = i32.mul(get(at), i32.of(4));
  const converted = widenBytes.flatMap((widen, half) => [
    set(shorts, four.compute(widen, get(bytes))),
    ...widenShorts.flatMap((widenFurther, quarter) => [
      set(integers, four.compute(widenFurther, get(shorts))),
      four.store(
        to,
        // The second pair of integers is taken as the first.
        four.shuffle(
          pair(get(integers)),
          pair(four.shuffle(get(integers), get(integers), [2, 3, 2, 3])),
          [0, 1, 4, 5],
        ),
        STAGE + (half * 2 + quarter) * 16,
      ),
    ]),
  ]);
  const body = block(
    set(factor, four.compute(splatDouble, get(scale))),
    repeat(
      block(set(bytes, four.load(get(at))), ...converted, add(at, i32.of(LANES))),
      i32.less(get(at), get(count)),
    ),
  );
  return { name: 'convert', parameters: ['i32', 'f64'], locals: variables.locals, body };
}

interface Workshop {
  readonly bytes: Uint8Array;
  readonly floats: Float32Array;
  readonly convert: (count: number, scale: number) => void;
}

let workshop: Workshop | undefined;

function openWorkshop(): Workshop {
  if (workshop !== undefined) return workshop;
  const memory = new webAssembly.Memory({ initial: Math.ceil((STAGE * 5) / PAGE) });
  const module = new webAssembly.Module(assemble([convert()]));
  const { exports } = new webAssembly.Instance(module, { env: { memory } });
  workshop = {
    bytes: new Uint8Array(memory.buffer, 0, STAGE),
    floats: new Float32Array(memory.buffer, STAGE, STAGE),
    convert: exports['convert'] as Workshop['convert'],
  };
  return workshop;
}

/**
 * Writes chosen rows as floats: `value · scale`, computed in double precision.
 *
 * @param size bytes of a row
 * @param indices row numbers; `into` holds `indices.length` rows of `size`
 */
export function fillByteRows(
  data: Uint8Array,
  size: number,
  scale: number,
  indices: ArrayLike<number>,
  into: Float32Array,
): void {
  const { bytes, floats, convert } = openWorkshop();
  // Not a Buffer, whose views take longer to make.
  const source = new Uint8Array(data.buffer, data.byteOffset, data.length);
  let filled = 0;
  let target = 0;
  const flush = (): void => {
    if (filled === 0) return;
    convert(filled, scale);
    into.set(floats.subarray(0, filled), target);
    target += filled;
    filled = 0;
  };
  for (let i = 0; i < indices.length; i += 1) {
    const end = ((indices[i] ?? 0) + 1) * size;
    for (let from = end - size; from < end;) {
      const count = Math.min(end - from, STAGE - filled);
      bytes.set(source.subarray(from, from + count), filled);
      filled += count;
      from += count;
      if (filled === STAGE) flush();
    }
  }
  flush();
}
