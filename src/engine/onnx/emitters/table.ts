/** Every kernel that can be traced, by its TensorFlow.js name. */
import { convolution } from './convolution';
import { elementwise } from './elementwise';
import type { EmitterTable } from './emitter';
import { indexing } from './indexing';
import { matMul } from './matMul';
import { pooling } from './pooling';
import { reduction } from './reduction';
import { resize } from './resize';
import { shape } from './shape';

export const emitters: EmitterTable = {
  ...elementwise,
  ...reduction,
  ...shape,
  ...indexing,
  ...matMul,
  ...convolution,
  ...pooling,
  ...resize,
};
