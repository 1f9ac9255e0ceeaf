// A measure of your own: how long a small device takes for one sample, by its arithmetic and its memory bandwidth (the roofline model,
// Williams et al. 2009). It can be an objective, a limit and a target:
//   netsmith search --measure examples/own-measure.ts --objective accuracy,latency --strategy nsga2 --limit latency=2 --trials 20
// and, since a stored study runs no code, name it again to go on:
//   netsmith resume runs/digits-small-cnn-1 --measure examples/own-measure.ts --trials 40
import { defineMeasure, networkCosts } from 'netsmith';

/** Of the device. */
const OPERATIONS_PER_MS = 50_000; // multiply-accumulates
const BYTES_PER_MS = 200_000;

export const latency = defineMeasure({
  name: 'latency',
  direction: 'minimize',
  unit: 'ms',
  // It may be async: time the network on the device itself, say.
  of({ network, task }) {
    const { params, flops, activationBytes } = networkCosts(network, task);
    return Math.max(flops / OPERATIONS_PER_MS, (4 * params + activationBytes) / BYTES_PER_MS);
  },
});
