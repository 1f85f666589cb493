/** Sliding windows in one, two or three dimensions, described alike; and the way between the two layouts. */
import { backend_util } from '@tensorflow/tfjs-core';
import type { Graph, Value } from '../graph';
import { pad, slice, transpose } from './emitter';

/** Lengths per spatial axis. */
export interface Windows {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly window: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export interface ConvAttributes {
  readonly strides: number | number[];
  readonly pad: 'valid' | 'same' | number;
  readonly dilations?: number | number[];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Four = [number, number, number, number];
type Five = [number, number, number, number, number];

function planeWindows(info: backend_util.Conv2DInfo): Windows {
  return {
    input: [info.inHeight, info.inWidth],
    output: [info.outHeight, info.outWidth],
    window: [info.filterHeight, info.filterWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.top, info.padInfo.left],
    after: [info.padInfo.bottom, info.padInfo.right],
  };
}

function volumeWindows(info: backend_util.Conv3DInfo): Windows {
  return {
    input: [info.inDepth, info.inHeight, info.inWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    window: [info.filterDepth, info.filterHeight, info.filterWidth],
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    dilation: [info.dilationDepth, info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
    after: [info.padInfo.back, info.padInfo.bottom, info.padInfo.right],
  };
}

/**
 * @param shape `[batch, ...spatial, in]`
 * @param filter `[...window, in, out]`
 */
export function convWindows(
  shape: readonly number[],
  filter: readonly number[],
  attrs: ConvAttributes,
  depthwise = false,
): Windows {
  if (shape.length === 5) {
    const pad = attrs.pad as 'valid' | 'same';
    const strides = attrs.strides as [number, number, number];
    const dilations = (attrs.dilations ?? 1) as number | [number, number, number];
    return volumeWindows(
      backend_util.computeConv3DInfo(shape as Five, filter as Five, strides, dilations, pad),
    );
  }
  return planeWindows(
    backend_util.computeConv2DInfo(
      shape as Four,
      filter as Four,
      attrs.strides as [number, number],
      (attrs.dilations ?? 1) as number | [number, number],
      attrs.pad,
      attrs.dimRoundingMode,
      depthwise,
      'channelsLast',
    ),
  );
}

export interface PoolAttributes {
  readonly filterSize: number | number[];
  readonly strides: number | number[];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** @param shape `[batch, ...spatial, channels]` */
export function poolWindows(shape: readonly number[], attrs: PoolAttributes): Windows {
  const { pad, dimRoundingMode } = attrs;
  if (shape.length === 5) {
    const size = attrs.filterSize as [number, number, number];
    const strides = attrs.strides as [number, number, number];
    return volumeWindows(
      backend_util.computePool3DInfo(shape as Five, size, strides, 1, pad, dimRoundingMode),
    );
  }
  const size = attrs.filterSize as [number, number];
  const strides = attrs.strides as [number, number];
  return planeWindows(backend_util.computePool2DInfo(shape as Four, size, strides, 1, pad, dimRoundingMode));
}

/**
 * 'same' in three dimensions leaves out elements at the border where a window is smaller than the stride: its paddings
 * are negative there. ONNX has none such. Here is what those windows are to an input without these elements.
 */
export function insideWindows(windows: Windows): Windows {
  const { before, after } = windows;
  const input = windows.input.map(
    (length, axis) => length + Math.min(0, before[axis] ?? 0) + Math.min(0, after[axis] ?? 0),
  );
  const padding = (given: readonly number[]) => given.map((count) => Math.max(0, count));
  return { ...windows, input, before: padding(before), after: padding(after) };
}

/** Takes the elements out that {@link insideWindows} go without. @param x `[batch, ...spatial, channels]` */
export function cutInput(graph: Graph, x: Value, windows: Windows): Value {
  const axes = windows.input.map((_, axis) => axis + 1);
  const begin = windows.before.map((count) => Math.max(0, -count));
  return slice(graph, x, axes, begin, insideWindows(windows).input);
}

/** Puts zeros in the places of what {@link cutInput} took out. */
export function restoreInput(graph: Graph, dx: Value, { before, after }: Windows): Value {
  const removed = (padding: readonly number[]) => [0, ...padding.map((count) => Math.max(0, -count)), 0];
  return pad(graph, dx, removed(before), removed(after));
}

/** The attributes that Conv, ConvTranspose and the pools of ONNX share. */
export function windowAttributes({ window, stride, dilation, before, after }: Windows) {
  return {
    kernel_shape: [...window],
    strides: [...stride],
    dilations: [...dilation],
    pads: [...before, ...after],
  };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** `[batch, ...spatial, channels]` to `[batch, channels, ...spatial]`, which ONNX wants. */
export function channelsFirst(graph: Graph, x: Value): Value {
  const rank = x.shape.length;
  return transpose(graph, x, [0, rank - 1, ...range(1, rank - 1)]);
}

/** Back from {@link channelsFirst}. */
export function channelsLast(graph: Graph, x: Value): Value {
  const rank = x.shape.length;
  return transpose(graph, x, [0, ...range(2, rank), 1]);
}

/** `[...window, in, out]` to `[out, in, ...window]`. */
export function filterFirst(graph: Graph, filter: Value): Value {
  const rank = filter.shape.length;
  return transpose(graph, filter, [rank - 1, rank - 2, ...range(0, rank - 2)]);
}
