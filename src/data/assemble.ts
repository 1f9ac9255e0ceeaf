import { deepFreeze } from '../common/json.ts';
import { rng } from '../common/random.ts';
import type { DataRequest, Dataset, DatasetInfo, Samples } from './dataset.ts';
import { part, type Source } from './samples.ts';
import type { Parts } from './split.ts';
import { inputStatistics, targetStatistics } from './statistics.ts';

/** What a reader found in its files. */
export interface Found {
  readonly info: Pick<DatasetInfo, 'name' | 'kind' | 'input' | 'outputs' | 'labels' | 'range' | 'encoding'>;
  /** What is divided into parts. */
  readonly pool: Source;
  /** Parts that the dataset brings itself. `test.open` reads the test part anew: nothing of it is held before. */
  readonly valid?: Samples;
  readonly test?: { readonly count: number; open(): Promise<Samples> };
  readonly notes: readonly string[];
  /** Statistics from at most so many training samples (seeded), where reading all of them is slow. */
  readonly statisticsFrom?: number;
}

/** A dataset of what was found and how it was divided: the parts, and the statistics over the training part. */
export async function assemble(found: Found, parts: Parts, request: Pick<DataRequest, 'seed'>): Promise<Dataset> {
  const { info, pool, notes } = found;
  const limit = found.statisticsFrom ?? Number.POSITIVE_INFINITY;
  const looked =
    parts.train.length > limit
      ? rng(request.seed, 'statistics')
          .shuffle([...parts.train])
          .slice(0, limit)
      : parts.train;
  const train = part(pool, parts.train);
  const valid = found.valid ?? part(pool, parts.valid);
  const { test } = found;
  return {
    search: {
      train,
      valid,
      info: deepFreeze({
        ...info,
        ...(await inputStatistics(pool, looked, info.input, targetsOf(info))),
        ...(info.kind === 'regression' && { target: targetStatistics(pool.targets, info.outputs, parts.train) }),
        counts: { train: train.count, valid: valid.count, test: test?.count ?? parts.test.length },
        notes: [...notes, ...parts.notes],
      }),
    },
    openTest: async () => (test ? test.open() : part(pool, parts.test)),
  };
}

/** Numbers in the target of one sample: a class is one number. */
function targetsOf(info: Pick<DatasetInfo, 'kind' | 'outputs'>): number {
  return info.kind === 'regression' ? info.outputs : 1;
}
