import { badInput } from '../core/errors';
import { registerRule } from '../core/rules/table';
import { customRule, readCustomRule, type CustomLayer } from '../core/rules/custom';
import * as tf from '../engine/tf';
import { layersOf } from './model';

/**
 * Teaches the channel graph the layer classes of a model's author that say what they do with channels
 * (`static shrinkRule`), and TensorFlow.js how to make them again.
 *
 * @throws ShrinkError `bad-rule` for a rule that cannot be read
 */
export function registerCustomLayers(model: tf.LayersModel): void {
  const classes = new Map<string, Map<string, CustomLayer>>();
  for (const [name, layer] of layersOf(model)) {
    const made = layer.constructor as unknown as { shrinkRule?: unknown };
    if (made.shrinkRule === undefined) continue;
    const className: unknown = layer.getClassName();
    if (typeof className !== 'string')
      throw badInput(
        'bad-rule',
        `The class of layer "${name}" has a shrinkRule but no name; write static className = '${layer.constructor.name}' into it.`,
      );
    let known = classes.get(className);
    if (known === undefined) {
      const rule = readCustomRule(className, made.shrinkRule);
      if (!isRegistered(className)) tf.serialization.registerClass(layer.constructor as never);
      const layers = new Map<string, CustomLayer>();
      classes.set(className, (known = layers));
      registerRule(
        className,
        customRule(rule, (asked) => layers.get(asked.name)),
      );
    }
    known.set(name, describe(layer));
  }
}

function isRegistered(className: string): boolean {
  return className in tf.serialization.SerializationMap.getMap().classNameMap;
}

function describe(layer: tf.layers.Layer): CustomLayer {
  const [node] = layer.inboundNodes;
  return {
    input: (node?.inputShapes[0] ?? []) as tf.Shape,
    weights: layer.weights.map((weight) => ({
      shape: weight.shape.map((length) => length ?? 1),
      trainable: layer.trainableWeights.includes(weight),
    })),
    outputShape: (input) => {
      const shapes = layer.computeOutputShape([...input]);
      return (Array.isArray(shapes[0]) ? shapes[0] : shapes) as tf.Shape;
    },
  };
}
