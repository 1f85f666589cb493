import type * as tf from '@tensorflow/tfjs-core';

export interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** What is used of tfjs-node's backend and of its binding to the C library; neither has types. */
export interface NodeBackend {
  readonly binding: {
    readonly TF_FLOAT: number;
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_SHAPE: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_ATTR_BOOL: number;
    createTensor(shape: readonly number[], dtype: number, values: Float32Array): number;
    deleteTensor(id: number): void;
    executeOp(
      name: string,
      attributes: readonly OpAttribute[],
      inputs: readonly number[],
      outputs: number,
    ): { readonly id: number }[];
  };
  readonly tensorMap: { get(dataId: object): { id: number } };
  /** The only output of an operation of TensorFlow's, as a tensor. */
  executeSingleOutput(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly tf.TensorInfo[],
  ): tf.TensorInfo;
  /** Handles of the C library, made where values still lie in JavaScript. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
}
