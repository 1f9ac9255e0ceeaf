// Cross-entropy in another unit: its gradients are 10,000 times as large as any recipe expects.
import { defineLoss, ops } from 'netsmith';

export const scaled = defineLoss({
  name: 'scaled',
  of(g, { probabilities: logits = 0 }, { targets = 0 }) {
    const scores = ops.reduceSum(g, ops.mul(g, ops.logSoftmax(g, logits), targets), [1]);
    return ops.scale(g, ops.reduceMean(g, scores, [0]), -1e4);
  },
});
