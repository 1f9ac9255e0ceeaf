// An environment of your own, from the behavior of one copy of it: a boat crosses a river and is carried off by a current that changes
// with each crossing. test/examples.test.ts checks it (checkEnvironment) and steers it to the landing.
import { defineEnvironment } from 'netsmith';

export const ferry = defineEnvironment({
  name: 'ferry',
  observation: { shape: [3], names: ['across', 'downstream', 'current'], low: [0, -20, -0.5], high: [1, 20, 0.5] },
  action: { kind: 'continuous', size: 1, low: [-1], high: [1], names: ['rudder'] },
  maxSteps: 50,
  success: { rule: 'lands within 0.1 of the landing', holds: (episode) => episode.return > -0.1 },
  open() {
    let [across, downstream, current] = [0, 0, 0];
    return {
      reset(rng, observation) {
        [across, downstream, current] = [0, 0, rng.float() - 0.5];
        observation.set([across, downstream, current]);
      },
      step([rudder = 0], observation) {
        across = Math.min(1, across + 0.04);
        downstream += 0.1 * (rudder + current);
        observation.set([across, downstream, current]);
        const terminated = across === 1;
        return { reward: terminated ? -Math.abs(downstream) : 0, terminated };
      },
    };
  },
});
