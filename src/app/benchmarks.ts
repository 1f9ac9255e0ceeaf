import { isDeepStrictEqual } from 'node:util';
import { unknownName } from '../common/closest.ts';
import { invalid } from '../common/errors.ts';
import { COST_METRICS } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import type { Dataset, DatasetInfo, Samples } from '../data/dataset.ts';
import { existing } from '../data/readers/files.node.ts';
import { readTable } from '../data/readers/table.node.ts';
import { latencies, withTableMetric } from '../estimate/tabular/added-metric.ts';
import { openNasBench201 } from '../estimate/tabular/nas-bench-201.node.ts';
import { nasBenchNlpOf } from '../estimate/tabular/nas-bench-nlp.ts';
import type { Table } from '../estimate/tabular/table.ts';
import { openNasBench201Test } from '../report/tabular/nas-bench-201-test.node.ts';
import type { TestAccuracy } from '../report/tabular/nas-bench-201-test.ts';
import { nasBenchNlpTestOf } from '../report/tabular/nas-bench-nlp-test.ts';
import { first } from '../space/index.ts';
import { flagOf, SETTING_NAMES, type SettingName, type StudySettings, studySchema } from '../study/spec.ts';

interface Benchmark {
  /** What a search of it has in its settings: its space, and how long its trainings were. */
  readonly settings: Pick<StudySettings, 'space' | 'epochs'>;
  /** The data sets, the usual one first, with the budget that searches of each are given by its authors. */
  readonly budgets: Readonly<Record<string, Pick<StudySettings, 'time'> | Pick<StudySettings, 'trials'>>>;
  /** Epochs of the trainings that were tested. */
  readonly testEpochs: number;
  open(): Promise<Table>;
  openTest(table: Table): Promise<TestAccuracy>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  'nas-bench-201': {
    settings: { space: 'nas-bench-201', epochs: 12 },
    // Only CIFAR-10 has seconds: 109 evaluations are what its budget affords on average.
    budgets: { 'cifar-10': { time: '12000s' }, 'cifar-100': { trials: 109 }, 'imagenet16-120': { trials: 109 } },
    testEpochs: 200,
    open: openNasBench201,
    openTest: ({ space }) => openNasBench201Test(space),
  },
};

/** NAS-Bench-NLP, of a CSV of its release. */
function nlpBenchmark(file: string): Benchmark {
  const read = async () => readTable(await existing('--benchmark', file, 'file'));
  const place = `csv file "${file}"`;
  return {
    settings: { space: 'nas-bench-nlp', epochs: 50 },
    budgets: { 'wikitext-2': { trials: 100 } },
    testEpochs: 50,
    open: async () => nasBenchNlpOf(place, await read()),
    openTest: async () => nasBenchNlpTestOf(place, await read()),
  };
}

/** The settings that a search of a table has besides its strategy. */
export const TABLE_SETTINGS: readonly SettingName[] = [
  ...(['benchmark', 'data', 'trials', 'time', 'seed', 'maxParams', 'maxFlops', 'maxDepth', 'limit'] as const),
  ...(['require', 'forbid', 'fix', 'prefer'] as const),
];

/** A benchmark by its name, or of a CSV by its path. Throws UserError for a name that is not known. */
export function benchmarkNamed(name: string): Benchmark {
  if (/\.csv(?:\.gz)?$/iu.test(name)) return nlpBenchmark(name);
  const found = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined;
  if (found === undefined) throw unknownName('--benchmark:', name, Object.keys(BENCHMARKS), 'a CSV of NAS-Bench-NLP');
  return found;
}

/** The data set of a benchmark that is meant. Throws UserError for one that it does not have. */
export function datasetOf({ budgets }: Benchmark, name: string | undefined): string {
  const names = Object.keys(budgets);
  const [usual = ''] = names;
  if (name !== undefined && !names.includes(name)) throw unknownName('--data:', name, names);
  return name ?? usual;
}

/** What a search of a table has where nothing else was given: all that its benchmark decides, and its usual budget. */
export function benchmarkPresets({
  benchmark,
  data,
  trials,
  time,
  until,
}: Partial<StudySettings>): Partial<Omit<StudySettings, 'measures' | 'metrics' | 'loss'>> {
  if (benchmark === undefined) return {};
  const named = benchmarkNamed(benchmark);
  const dataset = datasetOf(named, data);
  const open = trials === undefined && time === undefined && until === undefined;
  return { ...named.settings, data: dataset, ...(open && named.budgets[dataset]) };
}

/** The setup of a study on a table. */
interface OpenBenchmark {
  readonly table: Table;
  readonly dataset: Dataset;
}

/** Throws UserError for settings that have no effect on a table, and for a budget or an objective that the table does not have. */
export async function openBenchmark(name: string, settings: StudySettings): Promise<OpenBenchmark> {
  const benchmark = benchmarkNamed(name);
  const data = datasetOf(benchmark, settings.data);
  const known: readonly string[] = [
    ...TABLE_SETTINGS,
    'strategy',
    'strategyOptions',
    'objective',
    'reference',
    'latencies',
    'until',
    'measure',
    'measures',
  ];
  const plain: StudySettings = { ...studySchema.parse({}), ...benchmark.settings };
  const other = SETTING_NAMES.find((one) => !known.includes(one) && !isDeepStrictEqual(settings[one], plain[one]));
  if (other !== undefined) throw invalid(flagOf(other), shown(settings[other]), NO_EFFECT);
  const table = await withLatencies(await benchmark.open(), settings);
  if (settings.time !== undefined) checkTimed(table, data, settings.time);
  const metrics = [
    ...table.objectives.map(({ metric }) => metric),
    ...Object.keys({ ...COST_METRICS, ...settings.measures }),
  ];
  const unknown = settings.objective?.find((metric) => !metrics.includes(metric));
  const more = settings.latencies === undefined ? '; --latencies FILE:COLUMN adds latency' : '';
  if (unknown !== undefined)
    throw invalid('--objective', `"${unknown}"`, `${table.name} has ${metrics.join(', ')}${more}`);
  return { table, dataset: datasetFor(table, data) };
}

/** The table with the latencies that the settings name. Throws UserError for a file or a column that is not there. */
async function withLatencies(table: Table, { latencies: named }: StudySettings): Promise<Table> {
  if (named === undefined) return table;
  const at = named.lastIndexOf(':');
  const [file, latency] = [named.slice(0, at), named.slice(at + 1)];
  const cells = await readTable(await existing('--latencies', file, 'file'));
  return withTableMetric(table, latencies(`csv file "${file}"`, cells, table.space, { architecture: 'arch', latency }));
}

export const NO_EFFECT = 'has no effect on a tabular benchmark, whose results are precomputed';

const shown = (value: unknown) => (typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? 'not set'));

/** Throws UserError where the table does not know how long its trainings took. */
export function checkTimed(table: Table, data: string, time: string): void {
  const { space } = table;
  const any = space.members?.sample(rng('timed')) ?? first(space);
  if (table.lookup(any, data)?.seconds === undefined)
    throw invalid('--time', time, `${table.name} has no training times for ${data}; set the budget with --trials`);
}

/** Data that no sample of is there. */
function datasetFor({ name, space: { task }, size, fidelity }: Table, data: string): Dataset {
  const none: Samples = {
    count: 0,
    read: () => Promise.reject(new Error(`table "${name}" has no samples`)),
  };
  const info: DatasetInfo = {
    ...task,
    name: data,
    labels: [],
    mean: [],
    deviation: [],
    counts: { train: 0, valid: 0, test: 0 },
    notes: [
      `Results come from the table ${name}: ${size} architectures, each with its validation metrics after ${fidelity.epochs} epochs.`,
    ],
  };
  return { search: { info, train: none, valid: none }, openTest: () => Promise.resolve(none) };
}
