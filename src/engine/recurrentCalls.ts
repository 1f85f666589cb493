/**
 * A recurrent layer writes the first states that it was called with into the options of the call. A model hands one
 * options object to all its layers, so that the next recurrent layer takes those states for its own, or throws. Each
 * call gets a copy.
 */
import { RNN } from '@tensorflow/tfjs-layers';

const MARK = Symbol('recurrent calls mended');

/** Harmless when repeated. */
export function isolateRecurrentCalls(): void {
  const prototype = RNN.prototype as RNN & { [MARK]?: true };
  if (prototype[MARK] === true) return;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const { apply } = prototype;
  prototype.apply = function (this: RNN, inputs, options) {
    return apply.call(this, inputs, { ...options });
  };
  prototype[MARK] = true;
}
