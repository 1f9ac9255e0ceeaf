import { nasBench201 } from '../../strategy/testing/problems.ts';
import { serveTrials } from '../worker/serve.node.ts';
import { type Fate, fakeBench } from './fake.ts';

/** Entry of the worker processes of tests. Settings: milliseconds an epoch takes, and the fate of architectures by key. */
serveTrials(async ({ settings }) => {
  const {
    epochMs = 0,
    fates = {},
    broken,
  } = settings as {
    epochMs?: number;
    fates?: Record<string, Fate>;
    broken?: string;
  };
  if (broken === 'throws') throw new Error('no such device');
  if (broken === 'exits') process.exit(3);
  return fakeBench(nasBench201, { epochMs, fate: (architecture) => fates[JSON.stringify(architecture)] ?? 'trains' });
});
