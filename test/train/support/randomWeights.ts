import { mixSeed, seededRandom } from '../../../src/core/random';
import { sizeOf, type LayerWeights } from '../../../src/core/tensor';

/** Numbers of a size at which outputs stay near 1; all above 0 where that is needed (variances). */
export function randomWeights(weights: LayerWeights): LayerWeights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, tensors], layer) => [
      name,
      tensors.map(({ shape }, index) => {
        const random = seededRandom(mixSeed(layer, index));
        const fan = Math.sqrt(sizeOf(shape) / (shape.at(-1) ?? 1));
        const draw = (): number => (index === 3 ? 0.5 + random() : ((random() * 2 - 1) * 2) / fan);
        return { shape, data: Float32Array.from({ length: sizeOf(shape) }, draw) };
      }),
    ]),
  );
}
