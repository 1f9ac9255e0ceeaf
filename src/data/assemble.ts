import { deepFreeze } from '../common/json.ts';
import { rng } from '../common/random.ts';
import { taskOf } from '../task/index.ts';
import type { TaskDefinition } from '../task/task.ts';
import type { DataRequest, Dataset, DatasetInfo, Samples } from './dataset.ts';
import { part, type Source } from './samples.ts';
import { divide, type Parts } from './split.ts';
import { inputQuantiles, inputStatistics, targetStatistics } from './statistics.ts';

/** What a reader found in its files. */
export interface Found {
  readonly info: Pick<
    DatasetInfo,
    'name' | 'kind' | 'input' | 'outputs' | 'labels' | 'range' | 'encoding' | 'decoding' | 'checksums'
  >;
  /** What is divided into parts. */
  readonly pool: Source;
  /** Parts that the dataset brings itself. `test.open` reads the test part each time: none of it is held before. */
  readonly valid?: Samples | undefined;
  readonly test?: OwnTest | undefined;
  readonly notes: readonly string[];
  /** Statistics from at most this many training samples (seeded), where reading all of them is slow. */
  readonly statisticsFrom?: number;
}

export interface OwnTest {
  readonly count: number;
  open(): Promise<Samples>;
}

/** A dataset of what was found and how it was divided: the parts, and the statistics over the training part. */
export async function assemble(found: Found, parts: Parts, request: Pick<DataRequest, 'seed'>): Promise<Dataset> {
  const { info, pool } = found;
  const task = taskOf(info);
  const looked = statisticsSample(parts.train, found.statisticsFrom, request.seed);
  const measured = await inputStatistics(pool, looked, info.input);
  const statistics = {
    ...measured,
    ...(info.input.length === 1 && { quantiles: await inputQuantiles(pool, looked, measured) }),
    ...(task.standardized && { target: targetStatistics(pool.targets, info.outputs, parts.train) }),
  };
  return inParts({ ...found, info: { ...info, ...statistics } }, parts);
}

/** What is known of a dataset before it is divided. */
export interface Undivided extends Pick<Found, 'valid' | 'test' | 'notes'> {
  readonly info: Omit<DatasetInfo, 'counts' | 'notes'>;
  readonly pool: Samples;
  /** A task of the user's own. */
  readonly task?: TaskDefinition;
}

/** The dataset that divided samples make. */
export function inParts({ info, pool, valid: ownValid, test, notes, task }: Undivided, parts: Parts): Dataset {
  const train = part(pool, parts.train);
  const valid = ownValid ?? part(pool, parts.valid);
  return {
    search: {
      ...{ train, valid },
      ...(task && { task }),
      info: deepFreeze({
        ...info,
        counts: { train: train.count, valid: valid.count, test: test?.count ?? parts.test.length },
        notes: [...notes, ...parts.notes],
      }),
    },
    openTest: async () => (test ? test.open() : part(pool, parts.test)),
  };
}

/** At most `limit` of the training samples, seeded: those that statistics are taken from. */
export function statisticsSample(train: Int32Array, limit: number | undefined, seed: number): ArrayLike<number> {
  if (limit === undefined || train.length <= limit) return train;
  return rng(seed, 'statistics')
    .shuffle([...train])
    .slice(0, limit);
}

/** Divides and assembles images of known classes; `place` is for error messages. */
export function assembleClasses(place: string, found: Found, request: DataRequest): Promise<Dataset> {
  const { pool, info } = found;
  const parts = divide(
    {
      place,
      count: pool.count,
      classes: { of: pool.targets, names: info.labels },
      ownTest: found.test !== undefined,
      ownValid: found.valid !== undefined,
    },
    request,
  );
  return assemble(found, parts, request);
}
