/** What an evaluation leaves of a policy for the report: how its return grew, and an episode. In `best/policy.json`. */
import { join } from 'node:path';
import { z } from 'zod';
import type { ShownEpisode } from '../../report/figures/episode.ts';
import type { ReturnCurve } from '../../report/figures/returns.ts';
import { testedObjective } from '../../study/objectives.ts';
import { writeInStudy } from '../../study/store/files.node.ts';
import type { Trial } from '../../study/store/store.ts';
import { checkedRecord, readJson, withChecksum } from '../evaluation/evaluation.ts';
import type { Setup } from '../setup.ts';

const finite = z.number();
const count = z.int().min(0);

/** Of an image: 4 planes of 10 by 10 are drawn. */
const MOST_STATE = 1000;

const EPISODE = z.strictObject({
  frames: z.array(z.array(finite).max(MOST_STATE)).min(1).max(100),
  steps: z.array(count).max(100),
  length: count,
  return: finite,
  succeeded: z.boolean(),
});

const POLICY = z.strictObject({
  trial: count,
  checksum: z.string().exactOptional(),
  curves: z.array(z.array(z.strictObject({ envSteps: finite, value: finite })).max(100_000)).max(1000),
  episode: EPISODE.exactOptional(),
});

/** Of the evaluation of a trial. */
export interface PolicyRecord {
  readonly curves: readonly ReturnCurve[];
  readonly episode?: ShownEpisode;
}

const FILE = 'policy.json';

function writePolicy(dir: string, trial: number, record: PolicyRecord): void {
  writeInStudy(dir, ['best', FILE], `${JSON.stringify(withChecksum({ trial, ...record }))}\n`);
}

/** Undefined where the evaluation of this trial has kept none; throws UserError where the file is damaged. */
export function readPolicy(dir: string, trial: number): PolicyRecord | undefined {
  const path = join(dir, 'best', FILE);
  const found = readJson(path);
  if (found === undefined) return undefined;
  const rule = 'delete it, or run netsmith evaluate again';
  const { trial: of, curves, episode } = checkedRecord(found, POLICY, path, rule) as z.infer<typeof POLICY>;
  return of === trial ? { curves, ...(episode && { episode }) } : undefined;
}

/** Writes how the return of a policy grew in its trainings, and the episode that the first one left, in `best/`. */
export function keepPolicy(
  dir: string,
  { control, problem, dataset }: Setup,
  trial: number,
  trainings: readonly (Trial | undefined)[],
  episode: ShownEpisode | undefined,
): void {
  if (control === undefined) return;
  const { metric } = testedObjective(problem.objectives, dataset.search.info);
  const curves = trainings.flatMap((one) => {
    const last = one?.curve.at(-1)?.step ?? 0;
    const perEpoch = (control.training?.envSteps ?? 0) / last;
    const curve = (one?.curve ?? []).flatMap(({ step, metrics }) => {
      const value = metrics[metric];
      return value === undefined ? [] : [{ envSteps: step * perEpoch, value }];
    });
    return curve.length === 0 ? [] : [curve];
  });
  writePolicy(dir, trial, { curves, ...(episode && { episode }) });
}
