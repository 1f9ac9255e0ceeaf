import { UserError } from '../common/errors.ts';
import { BASELINES } from '../space/spaces/index.ts';
import { classification } from './classification.ts';
import type { TaskDefinition } from './task.ts';

/**
 * One of several classes of texts. It differs from `classification` in what a sample is: tokens, [T], that end in padding. Longer texts are
 * cut; token 0 fills shorter ones.
 */
export const text: TaskDefinition = {
  ...classification,
  spec(data) {
    const { input, vocabulary } = data;
    if (vocabulary === undefined)
      throw new UserError(`data "${data.name}": the task text needs the number of its tokens, vocabulary`);
    return {
      ...classification.spec(data),
      inputs: { tokens: { shape: input, dtype: 'int32', axes: ['time'], values: vocabulary, padded: true } },
    };
  },
  baselines: (task) => ({ 'mean-of-embeddings': BASELINES['mean-of-embeddings'](task) }),
};
