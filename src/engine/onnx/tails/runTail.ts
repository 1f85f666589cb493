/** A tail on the values of real variables. */
import { ShrinkError } from '../../../core/errors';
import type { StepScalars } from '../../engine';
import type { OnnxTensor } from '../runtime';
import type { House, StateStore } from '../stateStore';
import type { TracedTail } from '../traced';
import { compileProgram } from '../../elements/wasmProgram';

export interface RunningTail {
  /** Where the graph writes what the tail reads, by the name of the output; null for what it makes room for itself. */
  readonly outputs: Readonly<Record<string, OnnxTensor | null>>;
  /** Assigns the variables, after the graph has run and before its own assignments count. */
  run(results: Readonly<Record<string, OnnxTensor>>, scalars: StepScalars): void;
}

/** Makes one memory hold all arrays of a tail; null where they lie together with others for another step. */
export function houseOf({ arrays, assigned }: TracedTail, store: StateStore): House | null {
  const variables = arrays.flatMap((array) => ('variable' in array ? [array.variable] : []));
  const shape = assigned[0]?.shape ?? [];
  return store.house(variables, arrays.length - variables.length, shape);
}

export function startTail(tail: TracedTail, house: House, store: StateStore): RunningTail {
  const { program, arrays, numbers, assigned } = tail;
  const run = compileProgram(program, house.memory);
  const outputs: Record<string, OnnxTensor | null> = {};
  let room = 0;
  const addresses = arrays.map((array) => {
    if ('variable' in array) return house.addresses.get(array.variable) ?? 0;
    const place = house.rooms[room++];
    if (place === undefined) throw new RangeError('a tail has a room for each output');
    outputs[array.output] = place.tensor;
    return place.address;
  });
  for (const number of numbers) if ('output' in number) outputs[number.output] ??= null;
  const single = (tensor: OnnxTensor | undefined): number => Number(tensor?.data[0] ?? NaN);
  return {
    outputs,
    run(results, scalars) {
      const values = numbers.map((number) => {
        if ('constant' in number) return number.constant;
        if ('output' in number) return single(results[number.output]);
        if ('variable' in number) return single(store.read(number.variable));
        const value = scalars[number.scalar];
        if (value === undefined)
          throw new ShrinkError(
            'training',
            'missing-scalar',
            `The step needs the number ${number.scalar} in each run.`,
          );
        return Math.fround(value) * number.ratio;
      });
      run(house.bytes, addresses, values);
      for (const variable of assigned) store.wrote(variable);
    },
  };
}
