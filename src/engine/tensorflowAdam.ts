/**
 * Adam in place with TensorFlow's own kernel. `ResourceApplyAdam` works on resource variables, which TensorFlow.js does not
 * have: three of them, made once, are lent the values of each variable in turn.
 */
import * as tf from '@tensorflow/tfjs-core';
import { correctedRate, registerAdam, type AdamNumbers, type AdamTensors } from './adam';
import type { NodeBackend, OpAttribute } from './tensorflowBackend';

/** What is used of the library, for one process: it cannot be loaded twice. */
interface Library {
  readonly run: (
    op: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: 0 | 1,
  ) => number;
  /** The three resources: a value and its moments. */
  readonly resources: readonly number[];
  readonly assignOrRead: readonly OpAttribute[];
  readonly apply: readonly OpAttribute[];
}

function openLibrary({ binding }: NodeBackend): Library {
  const attribute = (name: string, type: number, value: unknown): OpAttribute => ({ name, type, value });
  const assignOrRead = [attribute('dtype', binding.TF_ATTR_TYPE, binding.TF_FLOAT)];
  const run: Library['run'] = (op, attributes, inputs, outputs) =>
    binding.executeOp(op, attributes, inputs, outputs)[0]?.id ?? -1;
  const resources = ['value', 'first', 'second'].map((name) =>
    run(
      'VarHandleOp',
      [
        ...assignOrRead,
        // No shape is checked: it is another one for each variable.
        attribute('shape', binding.TF_ATTR_SHAPE, []),
        attribute('container', binding.TF_ATTR_STRING, ''),
        attribute('shared_name', binding.TF_ATTR_STRING, `shrinknets/adam/${name}`),
      ],
      [],
      1,
    ),
  );
  const apply = [
    attribute('T', binding.TF_ATTR_TYPE, binding.TF_FLOAT),
    attribute('use_locking', binding.TF_ATTR_BOOL, false),
    attribute('use_nesterov', binding.TF_ATTR_BOOL, false),
  ];
  return { run, resources, assignOrRead, apply };
}

let library: Library | undefined;

function updateAll(all: readonly AdamTensors[], numbers: AdamNumbers): void {
  const backend = tf.backend() as unknown as NodeBackend;
  const { binding } = backend;
  library ??= openLibrary(backend);
  const { run, resources, assignOrRead, apply } = library;
  const { learningRate, beta1, beta2, power1, power2 } = numbers;
  // The kernel corrects the rate by itself, and takes the corrected ε.
  const { epsilon } = correctedRate(numbers);
  const scalars = [power1, power2, learningRate, beta1, beta2, epsilon].map((value) =>
    binding.createTensor([], binding.TF_FLOAT, Float32Array.of(value)),
  );
  for (const { value, gradient, first, second } of all) {
    const variables = [value, first, second];
    const held = backend.getInputTensorIds(variables);
    resources.forEach((resource, i) => {
      const id = held[i] ?? -1;
      run('AssignVariableOp', assignOrRead, [resource, id], 0);
      // What has one owner is changed in place, anything else in a copy.
      binding.deleteTensor(id);
    });
    run('ResourceApplyAdam', apply, [...resources, ...scalars, ...backend.getInputTensorIds([gradient])], 0);
    variables.forEach(({ dataId }, i) => {
      backend.tensorMap.get(dataId).id = run('ReadVariableOp', assignOrRead, [resources[i] ?? -1], 1);
    });
  }
  for (const id of scalars) binding.deleteTensor(id);
}

export function installTensorflowAdam(): void {
  registerAdam('tensorflow', updateAll);
}
