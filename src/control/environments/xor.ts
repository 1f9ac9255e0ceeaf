/**
 * Exclusive or, the smallest problem that needs a hidden node (Stanley and Miikkulainen 2002, section 4.1). An episode has four steps, one for
 * each case in a fixed order; a policy with a memory forgets it between them. The reward of a step is 1 - |output - target|, and the
 * fitness the square of the return, (4 - sum of errors)^2, as in the paper.
 */
import { defineEnvironment } from '../define.ts';

export interface XorCase {
  readonly inputs: readonly [number, number];
  readonly target: 0 | 1;
}

/** The four cases. */
export const XOR_CASES: readonly XorCase[] = Object.freeze([
  { inputs: [0, 0], target: 0 },
  { inputs: [0, 1], target: 1 },
  { inputs: [1, 0], target: 1 },
  { inputs: [1, 1], target: 0 },
]);

export const xor = defineEnvironment({
  name: 'xor',
  description: 'exclusive or of two inputs, four cases an episode (Stanley and Miikkulainen 2002)',
  observation: { shape: [2], names: ['a', 'b'], low: 0, high: 1 },
  action: { kind: 'continuous', size: 1, low: [0], high: [1], names: ['output'] },
  maxSteps: XOR_CASES.length,
  success: { rule: 'all four outputs are on the right side of 0.5', holds: ({ terminated }) => terminated },
  fitness: '(4 - sum of absolute errors)^2',
  open() {
    let [at, right, sum] = [0, 0, 0];
    const outcome = { reward: 0, terminated: false };
    const observe = (into: Float32Array) => {
      // After the last case its inputs stay.
      const { inputs } = XOR_CASES[Math.min(at, XOR_CASES.length - 1)] as XorCase;
      into.set(inputs);
    };
    return {
      reset(_, observation) {
        [at, right, sum] = [0, 0, 0];
        observe(observation);
      },
      step(action, observation) {
        const output = action[0] as number;
        const { target } = XOR_CASES[at++] as XorCase;
        if (target === 1 ? output > 0.5 : output < 0.5) right++;
        outcome.reward = 1 - Math.abs(output - target);
        sum += outcome.reward;
        // All right: the goal is reached. Else the limit of steps ends the episode.
        outcome.terminated = right === XOR_CASES.length;
        observe(observation);
        return outcome;
      },
      fitness: () => sum * sum,
    };
  },
});
