import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sharedData } from '../../common/testing/shared-data.ts';
import {
  conv,
  defineSpace,
  dropout,
  float,
  formatArchitecture,
  globalAvgPool,
  linear,
  pick,
  SPACES,
  searchSpaceOf,
  sequential,
} from '../../space/index.ts';
import type { Architecture, Space, Task } from '../../space/space.ts';
import { pseudoCosts, pseudoOutcome } from '../conformance.node.ts';
import type { Problem } from '../strategy.ts';

export { pseudoCosts, pseudoOutcome };

/** Problems and objectives that cost nothing, for tests of strategies. */

const IMAGES: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };

export const nasBench201: Space = SPACES['nas-bench-201'].create(IMAGES);

/** A space of 3 x 2 x 3 architectures. */
export const tinySpace: Space = defineSpace('tiny', () =>
  sequential(
    conv(pick('channels', [4, 8, 16]), 3),
    conv(pick('more', [4, 8]), pick('kernel', [1, 3, 5])),
    globalAvgPool(),
    linear('outputs'),
  ),
).create(IMAGES);

export const continuousSpace: Space = defineSpace('continuous', () =>
  sequential(dropout(float('rate', 0, 0.5)), linear('outputs')),
).create({ kind: 'classification', input: [4], outputs: 2 });

export function problemOf(space: Space, changes: Partial<Problem> = {}): Problem {
  return {
    space: searchSpaceOf(space),
    objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
    limits: [],
    seed: 1,
    costs: pseudoCosts,
    fidelities: [{ epochs: 1, data: 1, resolution: 1, width: 1 }],
    ...changes,
  };
}

/** Fidelities of 1, 3 and 9 epochs. */
export const RISING: Problem['fidelities'] = [
  { epochs: 1, data: 1, resolution: 1, width: 1 },
  { epochs: 3, data: 1, resolution: 1, width: 1 },
  { epochs: 9, data: 1, resolution: 1, width: 1 },
];

/** The benchmark's table, which tests may have to do without. */
export const NAS_BENCH_201 = sharedData('nas-bench-201.csv.gz');

/** Validation accuracy after 12 epochs on CIFAR-10, shares, of all 15,625 cells of NAS-Bench-201. */
export function nasBench201Accuracy(): (architecture: Architecture) => number {
  const [header = '', ...rows] = gunzipSync(readFileSync(NAS_BENCH_201.url)).toString('utf8').trim().split('\n');
  const column = header.split(',').indexOf('c10_val_12');
  const table = new Map(rows.map((row) => row.split(',')).map((cells) => [cells[0], Number(cells[column]) / 100]));
  return (architecture) => {
    const accuracy = table.get(formatArchitecture(nasBench201, architecture));
    if (accuracy === undefined) throw new Error(`not in the table: ${formatArchitecture(nasBench201, architecture)}`);
    return accuracy;
  };
}
