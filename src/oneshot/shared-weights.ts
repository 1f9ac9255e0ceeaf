import type { SearchData } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import { loadCheckpoint } from '../estimate/by-training.ts';
import { type Estimator, type Report, TrialFailure } from '../estimate/estimator.ts';
import { resolve } from '../space/tree/resolve.ts';
import { evaluateNetwork } from '../train/inference.ts';
import type { Programs } from '../train/programs.ts';

/** Measures candidates with the weights of the study's supernet, without training. */
export function sharedWeightsEstimator({
  engine,
  data,
}: {
  readonly engine: Engine;
  readonly programs?: Programs;
  readonly data: SearchData;
}): Estimator {
  return {
    async estimate({ space, architecture }, run) {
      if (run.shared === undefined) throw new TrialFailure('the study has no supernet');
      const began = performance.now();
      const shared = await loadCheckpoint(run, run.shared, 'the candidate cannot be measured');
      if (shared === undefined) throw new TrialFailure('the weights of the supernet cannot be read');
      const { metrics } = await evaluateNetwork({
        engine,
        network: resolve(space, architecture),
        info: data.info,
        weights: shared.tensors,
        samples: data.valid,
        signal: run.signal,
      });
      const seconds = (performance.now() - began) / 1000;
      const report: Report = { step: run.fidelity.epochs, metrics, seconds };
      await run.report(report, undefined);
      return { state: 'complete', metrics, curve: [report], seconds };
    },
  };
}
