import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, it } from 'vitest';
import * as tf from '../../src/engine/tf';
import { checkMade } from './support/checkMade';

/** Models that are all of an arrow's body. */

beforeAll(async () => {
  tf.env().set('IS_TEST', true);
  await tf.setBackend('cpu');
});

const HEAD = "import * as tf from '@tensorflow/tfjs';\nconst inputs = 4;\n";
const MODEL =
  'tf.sequential({ layers: [tf.layers.dense({ units: ⟦15→2⟧, inputShape: [inputs] }), tf.layers.dense({ units: 3 })] })';

describe('an arrow whose expression is a model', () => {
  it.each([
    ['in an exported object', `module.exports = { build: () => ${MODEL} };`],
    ['in a default export', `export default { build: () => ${MODEL} };`],
    ['in parentheses', `module.exports = { build: () => (${MODEL}) };`],
    ['for useMemo', `function View() { const model = useMemo(() => ${MODEL}, []); return model; }`],
    ['for useState', `const View = () => { const [model] = useState(() => ${MODEL}); return model; };`],
    ['for useCallback', `const useNet = () => useCallback(() => ${MODEL}, []);`],
    ['for tf.tidy', `const model = tf.tidy(() => ${MODEL});\nmodel.summary();`],
    ['for Array.from', `const crowd = Array.from({ length: 5 }, () => ${MODEL});`],
    ['for then', `tf.ready().then(() => ${MODEL}).then((model) => model.summary());`],
    ['that is called at once', `const model = (() => ${MODEL})();`],
    ['that is async', `register('m', async () => ${MODEL});`],
    ['with a parameter without parentheses', `register('m', _ => ${MODEL});`],
    ['in an arrow of the same kind', `const make = () => window.later(() => ${MODEL});`],
    ['that gives it to a variable', `let model;\nconst fill = () => (model = ${MODEL});`],
    ['around a function', `const make = () => tf.tidy(() => { const made = ${MODEL}; return made; });`],
  ])('%s', async (_, code) => {
    await checkMade(HEAD + code, '15 3');
  });
});
