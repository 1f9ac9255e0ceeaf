import { existsSync, writeFileSync } from 'node:fs';
import { serveTrials } from '../../study/worker/serve.node.ts';
import { blobs } from '../../train/testing/blobs.ts';
import { referenceEngine } from '../../train/testing/reference-engine.ts';
import { type METHODS, oneShotEstimator } from './estimator.ts';
import { pointSpace } from './space.ts';

/**
 * Entry of the worker processes of one-shot studies in tests. Settings: the method, and a file that remembers that the worker has killed
 * itself after the second epoch of the supernet.
 */
serveTrials(async ({ settings }) => {
  const { method, died } = settings as { method: keyof typeof METHODS; died?: string };
  const data = blobs();
  const onEpoch = (epoch: number) => {
    if (died === undefined || epoch !== 2 || existsSync(died)) return;
    writeFileSync(died, '');
    process.kill(process.pid, 'SIGKILL');
  };
  return {
    space: pointSpace(data.info),
    estimator: oneShotEstimator({ engine: referenceEngine(), data, method, onEpoch }),
  };
});
