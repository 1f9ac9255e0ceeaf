// An estimator of your own: the mean of several short trainings with different seeds, so that luck counts less. Use it by its file:
//   netsmith search --estimator examples/own-estimator.ts --estimator-options seeds=3 --epochs 2 --trials 20
import { defineEstimator, resolveArchitecture, TrainingFailure, TrialFailure, trainNetwork } from 'netsmith';

export const meanOfSeeds = defineEstimator({
  name: 'mean-of-seeds',
  description: 'The mean over several trainings with different seeds.',
  defaults: { seeds: 2 },
  open: ({ data: { info, train, valid }, training, engine }, { seeds }) => ({
    async estimate({ space, architecture }, run) {
      run.signal.throwIfAborted();
      const began = performance.now();
      const sums: Record<string, number> = {};
      for (let seed = 0; seed < seeds; seed++) {
        try {
          const trained = await trainNetwork({
            engine: await engine(),
            network: resolveArchitecture(space, architecture),
            ...{ info, train, valid, signal: run.signal },
            settings: { ...training, epochs: run.fidelity.epochs },
            rng: (...labels) => run.rng(seed, ...labels),
          });
          for (const [name, value] of Object.entries(trained.history.at(-1)?.valid ?? {}))
            sums[name] = (sums[name] ?? 0) + value / seeds;
          await trained.dispose();
        } catch (error) {
          // A network that cannot be trained is a failed trial, and the search continues.
          if (error instanceof TrainingFailure) throw new TrialFailure(error.message);
          throw error;
        }
      }
      const report = { step: run.fidelity.epochs, metrics: sums, seconds: (performance.now() - began) / 1000 };
      await run.report(report, undefined);
      run.signal.throwIfAborted();
      return { state: 'complete', metrics: sums, curve: [report], seconds: report.seconds };
    },
  }),
});
