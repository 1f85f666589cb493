import { weighsLatency, type TrainOptions } from './options';
import { DEAD_WEIGHT } from './removal';

/** Optimizers whose steps are about as long as the learning rate, however small the gradient is. */
const NORMALISING: readonly string[] = ['adam', 'adamax', 'rmsprop'];

/** Options that are allowed and yet do not do what their user will think, with what to do. */
export function adviceOn(
  options: Pick<
    TrainOptions,
    'mode' | 'regularizer' | 'lambda' | 'lambda2' | 'distill' | 'finish' | 'cost' | 'costWeight'
  >,
  optimizer: { readonly name: string; readonly learningRate: number },
): { readonly code: string; readonly message: string }[] {
  const { mode, regularizer, lambda, lambda2, distill, finish } = options;
  const advice: { code: string; message: string }[] = [];
  const switched = mode === 'lambda' || (mode === 'original' && regularizer === 'switches');
  if (switched && lambda > 0 && lambda2 === 0)
    advice.push({
      code: 'lambda2-zero',
      message:
        'lambda2 is 0, so that the objective has no minimum (Proposition A.3): weights times 2 and switches times 1/2 leave the loss as it is and halve the penalty. Set lambda2 above 0, such as 0.00001.',
    });
  const grouped = mode === 'original' && regularizer === 'group' && lambda > 0;
  if (grouped && NORMALISING.includes(optimizer.name) && optimizer.learningRate > DEAD_WEIGHT)
    advice.push({
      code: 'group-rate',
      message: `With ${optimizer.name} at the learning rate ${optimizer.learningRate} weights swing by about as much and do not come under ${DEAD_WEIGHT}, so that few groups die; set learningRate to ${DEAD_WEIGHT} or less, or optimizer to sgd or adagrad.`,
    });
  if (distill > 0 && finish === 0)
    advice.push({
      code: 'distill-unused',
      message: 'distill has no effect without a finish; set finish to 1 or more.',
    });
  const wantsLatency = options.cost === 'latency' || options.costWeight === 'latency';
  if (wantsLatency && !weighsLatency(options))
    advice.push({
      code: 'latency-unused',
      message:
        options.costWeight === 'latency'
          ? 'costWeight=latency weighs nothing in mode budget; set cost to latency.'
          : 'cost=latency weighs nothing where costWeight says otherwise, nor in mode original; set costWeight to latency.',
    });
  return advice;
}
