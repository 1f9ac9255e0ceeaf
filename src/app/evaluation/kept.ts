import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../../common/errors.ts';
import type { Metrics } from '../../common/metrics.ts';
import { writeInStudy } from '../../study/store/files.node.ts';
import type { Setup } from '../setup.ts';
import { checkedRecord, readJson, readWeights, sha256Of, withChecksum } from './evaluation.ts';
import { readPredictions } from './predictions.ts';
import type { Retrained, RetrainJob } from './retraining.ts';

/** What is kept of one final training. */
type Kept = Pick<Retrained, 'metrics' | 'confusion' | 'seconds'>;

/** The final trainings of a study that have ended, one file each in `best/runs/`: what an evaluation that was stopped goes on from. */
export interface KeptTrainings {
  /** Undefined where there is none, and where its file is damaged: it is then trained again. */
  read(job: RetrainJob): Kept | undefined;
  write(job: RetrainJob, result: Kept): void;
  /** Whether the weights of this training, and the samples that it was to bring, are there. */
  hasWeights(job: RetrainJob, trial: number, metrics: Metrics): boolean;
}

/** JSON has no NaN: a loss that is not finite is null in the file. */
const keptSchema = z.looseObject({
  training: z.string(),
  metrics: z.record(z.string(), z.number().nullable()),
  confusion: z.array(z.array(z.number())).optional(),
  seconds: z.number(),
});

export function keptTrainings(dir: string, setup: Setup): KeptTrainings {
  const idOf = (job: RetrainJob) => sha256Of(Buffer.from(JSON.stringify(identityOf(setup, job)))).slice(0, 32);
  const fileOf = (id: string) => `${id}.json`;
  return {
    read(job) {
      const id = idOf(job);
      const path = join(dir, 'best', 'runs', fileOf(id));
      try {
        const found = readJson(path);
        if (found === undefined) return undefined;
        const record = checkedRecord(found, keptSchema, path, 'it is trained again') as Kept & {
          readonly training: string;
        };
        if (record.training !== id) return undefined;
        const { confusion, seconds } = record;
        const metrics = Object.fromEntries(
          Object.entries(record.metrics).map(([name, value]) => [name, value ?? Number.NaN]),
        );
        return { metrics, seconds, ...(confusion !== undefined && { confusion }) };
      } catch (error) {
        if (error instanceof UserError) return undefined;
        throw error;
      }
    },
    write(job, { metrics, confusion, seconds }) {
      const id = idOf(job);
      const { baseline = null, repetition, epochs, architecture } = job;
      const about = { training: id, baseline, architecture, seed: repetition, epochs };
      const record = { ...about, metrics, ...(confusion !== undefined && { confusion }), seconds };
      // JSON first: the checksum is that of what is read again.
      const text = JSON.stringify(withChecksum(JSON.parse(JSON.stringify(record))), null, 2);
      writeInStudy(dir, ['best', 'runs', fileOf(id)], `${text}\n`);
    },
    hasWeights({ architecture, epochs, repetition, sampled }, trial, metrics) {
      try {
        const left = readWeights(dir, architecture);
        if (
          left?.epochs !== epochs ||
          left.seed !== repetition ||
          !isDeepStrictEqual(jsonOf(left.test), jsonOf(metrics))
        )
          return false;
        return sampled !== true || readPredictions(dir, trial, epochs) !== undefined;
      } catch (error) {
        if (error instanceof UserError) return false;
        throw error;
      }
    },
  };
}

const jsonOf = (value: unknown): string => JSON.stringify(value ?? null);

/** All that a final training depends on. Not the machine: layouts and threads change its last digits alone. */
function identityOf(
  { settings, training, dataset }: Setup,
  { baseline, architecture, repetition, epochs }: RetrainJob,
) {
  const { notes, ...data } = dataset.search.info;
  return { baseline, architecture, repetition, seed: settings.seed, training: { ...training, epochs }, data };
}
