/** How proxies order architectures of NAS-Bench-201, and what they cost. */
import { bootstrapInterval, kendall, spearman } from '../../src/common/correlation.ts';
import { FREEREA } from '../../src/common/metrics.ts';
import { rng } from '../../src/common/random.ts';
import type { SearchData } from '../../src/data/dataset.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { freereaScore, rankScores, VOTE } from '../../src/estimate/proxies/ensemble.ts';
import { openProxies, type ProxyName, type ProxyScores } from '../../src/estimate/proxies/measure.ts';
import { openNasBench201Test } from '../../src/report/tabular/nas-bench-201-test.node.ts';
import { type Architecture, SPACES, type Space, sample } from '../../src/space/index.ts';
import { median } from '../engine/statistics.ts';
import { markdown } from '../engine/tables.ts';

export interface Correlated {
  readonly proxy: string;
  readonly architectures: number;
  readonly spearman: number;
  /** The middle 95 % of bootstrap samples. */
  readonly spearmanInterval: readonly [number, number];
  readonly kendall: number;
  /** Test accuracy of the architecture that it puts first, percent. */
  readonly first: number;
  /** Median of the proxy measured alone; null: not timed. */
  readonly secondsPerArchitecture: number | null;
  /** To compile what measures all architectures. */
  readonly compileSeconds: number | null;
}

export interface CorrelationJob {
  readonly engine: Engine;
  readonly data: SearchData;
  readonly proxies: readonly ProxyName[];
  readonly count: number;
  /** Architectures that each proxy is timed on. */
  readonly timed: number;
  readonly say: (line: string) => void;
}

export async function correlate({ engine, data, proxies, count, timed, say }: CorrelationJob): Promise<Correlated[]> {
  const space = SPACES['nas-bench-201'].create(data.info, {});
  const testOf = await openNasBench201Test(space);
  const architectures = distinct(space, count);
  const truth = architectures.map((one) => testOf(one, 'cifar-10') ?? Number.NaN);
  const all = openProxies(space, { engine, data, proxies });
  const scores: ProxyScores[] = [];
  const start = performance.now();
  for (const [i, architecture] of architectures.entries()) {
    scores.push(await all.measure(architecture));
    if ((i + 1) % 50 === 0)
      say(`${i + 1} of ${count}, ${((performance.now() - start) / 1000 / (i + 1)).toFixed(2)} s each`);
  }
  await all.dispose();

  const rows: Correlated[] = [];
  const add = (proxy: string, values: readonly number[], cost: Cost) => {
    const row = {
      proxy,
      architectures: count,
      spearman: spearman(values, truth),
      spearmanInterval: bootstrapInterval(spearman, values, truth),
      kendall: kendall(values, truth),
      first: 100 * (truth[values.indexOf(Math.max(...values))] ?? Number.NaN),
      ...cost,
    };
    say(`${proxy}: ${row.spearman.toFixed(3)} [${row.spearmanInterval.map((end) => end.toFixed(3)).join(', ')}]`);
    rows.push(row);
  };
  const costOf = (names: readonly ProxyName[]) => timeAlone(engine, data, space, names, architectures.slice(0, timed));
  for (const name of proxies)
    add(
      name,
      scores.map((one) => one[name] ?? Number.NaN),
      await costOf([name]),
    );
  const has = (names: readonly ProxyName[]) => names.every((name) => proxies.includes(name));
  if (has(VOTE)) add(`ranks of ${VOTE.join(', ')}`, rankScores(scores), await costOf(VOTE));
  if (has(FREEREA)) add(`freerea: ${FREEREA.join(', ')}`, scores.map(freereaScore(scores)), await costOf(FREEREA));
  return rows;
}

/** Different random members. */
export function distinct(space: Space, count: number): Architecture[] {
  const found = new Map<string, Architecture>();
  for (let i = 0; found.size < count; i++) {
    const one = sample(space, rng('bench proxies', i));
    found.set(JSON.stringify(one), one);
  }
  return [...found.values()];
}

type Cost = Pick<Correlated, 'secondsPerArchitecture' | 'compileSeconds'>;

async function timeAlone(
  engine: Engine,
  data: SearchData,
  space: Space,
  names: readonly ProxyName[],
  architectures: readonly Architecture[],
): Promise<Cost> {
  if (architectures.length === 0) return { secondsPerArchitecture: null, compileSeconds: null };
  const proxies = openProxies(space, { engine, data, proxies: names });
  const seconds: number[] = [];
  // The first is not timed: it compiles.
  for (const architecture of [...architectures.slice(0, 1), ...architectures]) {
    const start = performance.now();
    await proxies.measure(architecture);
    seconds.push((performance.now() - start) / 1000);
  }
  await proxies.dispose();
  return { secondsPerArchitecture: median(seconds.slice(1)), compileSeconds: proxies.compileSeconds };
}

export function correlationTable(rows: readonly Correlated[]): string {
  return markdown(
    [
      'proxy',
      'Spearman',
      '95 % of bootstrap samples',
      'Kendall',
      'test % of its first',
      's an architecture',
      's to compile',
    ],
    rows.map((row) => [
      row.proxy,
      row.spearman.toFixed(3),
      row.spearmanInterval.map((end) => end.toFixed(3)).join(' to '),
      row.kendall.toFixed(3),
      row.first.toFixed(2),
      row.secondsPerArchitecture?.toFixed(3) ?? '-',
      row.compileSeconds?.toFixed(1) ?? '-',
    ]),
  );
}
