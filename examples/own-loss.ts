// A loss and a metric of your own for classification, in one file. Use them by their file:
//   netsmith search --loss examples/own-loss.ts --metric examples/own-loss.ts --objective calibration --trials 20
// and, since a stored study runs no code, name it again to go on, and to train the winner:
//   netsmith evaluate runs/digits-small-cnn-1 --loss examples/own-loss.ts --metric examples/own-loss.ts
import { defineLoss, defineMetric, ops } from 'netsmith';

/** The mean squared difference between probabilities and the target distribution (Brier 1950). The output is in logits. */
export const brier = defineLoss({
  name: 'brier',
  of(g, { probabilities: logits = 0 }, { targets = 0 }) {
    const difference = ops.sub(g, ops.exp(g, ops.logSoftmax(g, logits)), targets); // [B, K]
    return ops.reduceMean(g, ops.reduceSum(g, ops.mul(g, difference, difference), [1]), [0]); // []
  },
});

/** How far the mean probability of the predicted classes is from their accuracy: 0 is perfectly calibrated. */
export const calibration = defineMetric({
  name: 'calibration',
  direction: 'minimize',
  unit: 'share',
  scorer({ outputs }) {
    let [confidence, correct, samples] = [0, 0, 0];
    return {
      add({ probabilities: logits = new Float32Array() }, { target = new Float32Array() }, count) {
        for (let n = 0; n < count; n++) {
          const row = [...logits.subarray(n * outputs, (n + 1) * outputs)];
          const largest = Math.max(...row);
          confidence += 1 / row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
          if (row.indexOf(largest) === target[n]) correct++;
        }
        samples += count;
      },
      value: () => Math.abs(confidence - correct) / samples,
    };
  },
});
