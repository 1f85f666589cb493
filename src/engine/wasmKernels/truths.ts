/** Comparisons, and what is done with truth values: gradients of limits (ReLU, clipping) are made of them. A truth is a byte. */
import { broadcast_util, util } from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  block,
  countTo,
  floats as four,
  get,
  i32,
  set,
  SIMD_INSTRUCTIONS as SIMD,
  Variables,
  type AssembledFunction,
  type Code,
  type Variable,
} from '../../core/assembly/assembler';
import { assembledIn, perMemory } from './assembled';
import {
  addressesOf,
  floats,
  release,
  replaceKernel,
  runStock,
  share,
  viewAs,
  type KernelCall,
} from './heap';
import { tile } from './repetition';

/** Comparisons of four floats, behind the SIMD prefix: all ones where they hold. */
const COMPARISONS = {
  Equal: 0x41,
  NotEqual: 0x42,
  Less: 0x43,
  Greater: 0x44,
  LessEqual: 0x45,
  GreaterEqual: 0x46,
} as const;
type Comparison = keyof typeof COMPARISONS;
const LOGIC = { LogicalAnd: SIMD.and, LogicalOr: SIMD.or } as const;
type Logic = keyof typeof LOGIC;

/** Elements of a run of the loops; what is over is left to JavaScript. */
const RUN = 16;

type Name = Comparison | `${Comparison}Scalar` | Logic | 'Select';
type Assembled = AssembledFunction & { readonly name: Name };

/** A loop over `elements` (a parameter) in runs. */
function overRuns(
  name: Name,
  parameters: number,
  elements: Variable,
  body: (at: Variable, variables: Variables) => Code,
): Assembled {
  const variables = new Variables(parameters);
  const at = variables.local('i32');
  const code = countTo(at, get(elements), RUN, body(at, variables));
  return { name, parameters: Array<'i32'>(parameters).fill('i32'), locals: variables.locals, body: code };
}

const ones: Code = four.compute(SIMD.splatByte, i32.of(1));
const floatAt = (base: Variable, at: Variable, offset = 0): Code =>
  four.load(i32.add(get(base), i32.mul(get(at), i32.of(4))), offset);
const bytesAt = (base: Variable, at: Variable): Code => four.load(i32.add(get(base), get(at)));

/** Parameters: two addresses, that of the truths, elements. */
function compare(name: Comparison, scalar: boolean): Assembled {
  const [a, b, out, elements] = [0, 1, 2, 3];
  return overRuns(scalar ? `${name}Scalar` : name, 4, elements, (at) => {
    const masks = [0, 16, 32, 48].map((offset) =>
      four.compute(
        COMPARISONS[name],
        floatAt(a, at, offset),
        scalar ? four.loadSplat(get(b)) : floatAt(b, at, offset),
      ),
    );
    const [first = [], second = [], third = [], fourth = []] = masks;
    const narrow = (x: Code, y: Code): Code => four.compute(SIMD.narrowIntegers, x, y);
    const bytes = four.compute(SIMD.narrowShorts, narrow(first, second), narrow(third, fourth));
    return four.store(i32.add(get(out), get(at)), four.compute(SIMD.and, bytes, ones));
  });
}

/** Parameters as those of {@link compare}; any byte but 0 is true. */
function combine(name: Logic): Assembled {
  const [a, b, out, elements] = [0, 1, 2, 3];
  const isTrue = (bytes: Code): Code => four.compute(SIMD.bytesDiffer, bytes, four.zero);
  return overRuns(name, 4, elements, (at) => {
    const both = four.compute(LOGIC[name], isTrue(bytesAt(a, at)), isTrue(bytesAt(b, at)));
    return four.store(i32.add(get(out), get(at)), four.compute(SIMD.and, both, ones));
  });
}

/** Parameters: addresses of truths, of what is taken where they hold and where not, of the floats; elements. */
function select(): Assembled {
  const [condition, then, otherwise, out, elements] = [0, 1, 2, 3, 4];
  return overRuns('Select', 5, elements, (at, variables) => {
    const mask = variables.local('v128');
    return block(
      ...[0, 1, 2, 3].map((part) =>
        block(
          set(
            mask,
            four.compute(
              SIMD.integersDiffer,
              four.compute(
                SIMD.widenShorts[0],
                four.compute(SIMD.widenBytes[0], four.load32(i32.add(get(condition), get(at)), part * 4)),
              ),
              four.zero,
            ),
          ),
          four.store(
            i32.add(get(out), i32.mul(get(at), i32.of(4))),
            four.compute(
              SIMD.choose,
              floatAt(then, at, part * 16),
              floatAt(otherwise, at, part * 16),
              get(mask),
            ),
            part * 16,
          ),
        ),
      ),
    );
  });
}

const comparisons = Object.keys(COMPARISONS) as Comparison[];
const functionsIn = perMemory(
  assembledIn(() => [
    ...comparisons.flatMap((name) => [compare(name, false), compare(name, true)]),
    combine('LogicalAnd'),
    combine('LogicalOr'),
    select(),
  ]),
);

const OF_TWO: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  Equal: (a, b) => a === b,
  NotEqual: (a, b) => a !== b,
  Less: (a, b) => a < b,
  Greater: (a, b) => a > b,
  LessEqual: (a, b) => a <= b,
  GreaterEqual: (a, b) => a >= b,
};

const wholeRuns = (size: number): number => size - (size % RUN);

/** A tensor in a shape that it broadcasts to, with a reference of its own. */
function spread(backend: BackendWasm, x: TensorInfo, shape: number[]): TensorInfo {
  const own = [...Array<number>(shape.length - x.shape.length).fill(1), ...x.shape];
  const reps = shape.map((length, axis) => (own[axis] === length ? 1 : length));
  return reps.every((count) => count === 1)
    ? share(backend, x)
    : tile({ inputs: { x: viewAs(x, own) }, attrs: { reps }, backend });
}

/** Of floats. What is broadcast is written out first: the stock kernels work out each element's place. */
function comparison(name: Comparison) {
  const compareAlike = ({ inputs, backend }: KernelCall<'a' | 'b', undefined>): TensorInfo => {
    const { a, b } = inputs;
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return runStock(name, backend, inputs);
    const isScalar = util.sizeFromShape(b.shape) === 1 && b.shape.length <= a.shape.length;
    if (!isScalar && !util.arraysEqual(a.shape, b.shape)) {
      const shape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
      const [left, right] = [spread(backend, a, shape), spread(backend, b, shape)];
      const out = compareAlike({ inputs: { a: left, b: right }, attrs: undefined, backend });
      release(backend, left, right);
      return out;
    }
    const out = backend.makeOutput(a.shape, 'bool');
    const to = backend.typedArrayFromHeap(out) as Uint8Array;
    const whole = wholeRuns(to.length);
    const [atA = 0, atB = 0, atOut = 0] = addressesOf(backend, a, b, out);
    functionsIn(backend)[isScalar ? (`${name}Scalar` as const) : name](atA, atB, atOut, whole);
    const [left, right] = [floats(backend, a), floats(backend, b)];
    for (let i = whole; i < to.length; i += 1)
      to[i] = OF_TWO[name](left[i] ?? NaN, right[isScalar ? 0 : i] ?? NaN) ? 1 : 0;
    return out;
  };
  return compareAlike;
}

function logic(name: Logic) {
  return ({ inputs, backend }: KernelCall<'a' | 'b', undefined>): TensorInfo => {
    const { a, b } = inputs;
    if (a.dtype !== 'bool' || b.dtype !== 'bool' || !util.arraysEqual(a.shape, b.shape))
      return runStock(name, backend, inputs);
    const out = backend.makeOutput(a.shape, 'bool');
    const to = backend.typedArrayFromHeap(out) as Uint8Array;
    const whole = wholeRuns(to.length);
    const [atA = 0, atB = 0, atOut = 0] = addressesOf(backend, a, b, out);
    functionsIn(backend)[name](atA, atB, atOut, whole);
    const [left, right] = [a, b].map((x) => backend.typedArrayFromHeap(x) as Uint8Array) as [
      Uint8Array,
      Uint8Array,
    ];
    for (let i = whole; i < to.length; i += 1) {
      const [x, y] = [left[i] !== 0, right[i] !== 0];
      to[i] = (name === 'LogicalAnd' ? x && y : x || y) ? 1 : 0;
    }
    return out;
  };
}

function selectFloats({ inputs, backend }: KernelCall<'condition' | 't' | 'e', undefined>): TensorInfo {
  const { condition, t, e } = inputs;
  const simple =
    condition.dtype === 'bool' &&
    t.dtype === 'float32' &&
    e.dtype === 'float32' &&
    [t, e].every(({ shape }) => util.arraysEqual(shape, condition.shape));
  if (!simple) return runStock('Select', backend, { ...inputs });
  const out = backend.makeOutput(t.shape, 'float32');
  const to = floats(backend, out);
  const whole = wholeRuns(to.length);
  const [truths = 0, then = 0, otherwise = 0, at = 0] = addressesOf(backend, condition, t, e, out);
  functionsIn(backend).Select(truths, then, otherwise, at, whole);
  const holds = backend.typedArrayFromHeap(condition) as Uint8Array;
  const [left, right] = [floats(backend, t), floats(backend, e)];
  for (let i = whole; i < to.length; i += 1) to[i] = (holds[i] === 0 ? right[i] : left[i]) ?? NaN;
  return out;
}

export function installTruths(): void {
  for (const name of comparisons) replaceKernel(name, comparison(name));
  replaceKernel('LogicalAnd', logic('LogicalAnd'));
  replaceKernel('LogicalOr', logic('LogicalOr'));
  replaceKernel('Select', selectFloats);
}
