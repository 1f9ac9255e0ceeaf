/** What an evaluation leaves of a policy for the report: how its return grew, and an episode. In `best/policy.json`. */
import { join } from 'node:path';
import { z } from 'zod';
import type { ShownEpisode } from '../../report/figures/episode.ts';
import type { ReturnCurve } from '../../report/figures/returns.ts';
import { writeInStudy } from '../../study/store/files.node.ts';
import { checkedRecord, readJson, withChecksum } from '../evaluation/evaluation.ts';

const finite = z.number();
const count = z.int().min(0);

/** Of an image: 4 planes of 10 by 10 are drawn. */
const MOST_STATE = 1000;

export const EPISODE = z.strictObject({
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

export function writePolicy(dir: string, trial: number, record: PolicyRecord): void {
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
