/**
 * Fronts of NAS-Bench-201: strategies for several objectives search the table for 12-epoch validation accuracy and measured latency, 300
 * evaluations each, and are judged by the hypervolume of what they found, as a share of that of the exact front; the reference point is
 * 75 % accuracy and the largest latency. docs/fronts.md says how to read it.
 *
 *     npm run -s bench:fronts -- [--json] [--seeds N] [--resume FILE] [--python PATH] [--device NAME] [--only NAME]
 *
 *     --latencies FILE  CSV with the columns arch and NAME_ms for each device (../shared/data/nas-tables/nas-bench-201-latency.csv.gz)
 *     --device NAME     may be repeated (raspi4 and pixel3)
 *     --only NAME       may be repeated: a contender
 *     --resume FILE     a line of JSON for each search goes into this file; searches that have one are not repeated
 *     --python PATH     an interpreter with Optuna: its NSGA-II and multi-objective TPE search the same table in the same run
 *     --first-seed N, --options a=1,b=2, --evaluations N, --save
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { inputToLastLine } from './engine/processes.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { median } from './engine/statistics.ts';
import { markdown } from './engine/tables.ts';
import { type Device, type FrontEnd, openDevice } from './fronts/play.ts';
import { parseFlags } from './support/flags.ts';

const FILE = `${import.meta.dirname}/../../shared/data/nas-tables/nas-bench-201-latency.csv.gz`;

/** Ours; `ehvi, no reference` is not told the reference point. Peers: samplers of Optuna. */
const OURS = ['random', 'nsga2', 'pareto-local-search', 'ehvi', 'ehvi, no reference'];
const PEERS = ['optuna nsga2', 'optuna motpe'];

/** Rows of older versions have no cells. */
interface Row extends Omit<FrontEnd, 'cells'>, Partial<Pick<FrontEnd, 'cells'>> {
  readonly device: string;
  readonly contender: string;
  readonly seed: number;
}

const flags = parseFlags({
  json: { type: 'boolean', default: false },
  seeds: { type: 'string', default: '50' },
  'first-seed': { type: 'string', default: '0' },
  evaluations: { type: 'string', default: '300' },
  latencies: { type: 'string', default: FILE },
  device: { type: 'string', multiple: true, default: [] },
  only: { type: 'string', multiple: true, default: [] },
  options: { type: 'string', default: '' },
  resume: { type: 'string' },
  python: { type: 'string' },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

function refuse(line: string): never {
  say(line);
  process.exit(2);
}

function whole(name: 'seeds' | 'first-seed' | 'evaluations', least: number): number {
  const value = Number(flags[name]);
  return Number.isInteger(value) && value >= least
    ? value
    : refuse(`--${name} ${flags[name]}: it must be a whole number from ${least}`);
}

const [seeds, firstSeed, evaluations] = [whole('seeds', 1), whole('first-seed', 0), whole('evaluations', 1)];
const contenders = [...OURS, ...(flags.python === undefined ? [] : PEERS)];
const unknown = flags.only.find((name) => !contenders.includes(name));
if (unknown !== undefined) refuse(`--only ${unknown}: it must be one of ${contenders.join(', ')}`);
const wanted = flags.only.length === 0 ? contenders : contenders.filter((name) => flags.only.includes(name));
const options = Object.fromEntries(
  flags.options.split(',').flatMap((pair) => {
    const [name = '', value = ''] = pair.split('=');
    return name === '' ? [] : [[name, Number.isNaN(Number(value)) ? value : Number(value)]];
  }),
);
const when = circumstances(1);
const rows: Row[] =
  flags.resume !== undefined && existsSync(flags.resume)
    ? readFileSync(flags.resume, 'utf8')
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Row)
    : [];
const engine = () => createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const devices: Device[] = [];
for (const name of flags.device.length === 0 ? ['raspi4', 'pixel3'] : flags.device)
  devices.push(await openDevice(flags.latencies, name, { engine }));

function keep(row: Row): void {
  rows.push(row);
  if (flags.resume !== undefined) appendFileSync(flags.resume, `${JSON.stringify(row)}\n`);
}

for (const device of devices) {
  for (const contender of wanted) {
    const isDone = (seed: number) =>
      rows.some((row) => row.device === device.name && row.contender === contender && row.seed === seed);
    const left = Array.from({ length: seeds }, (_, i) => firstSeed + i).filter((seed) => !isDone(seed));
    const [, sampler] = contender.split('optuna ');
    if (sampler !== undefined) playPeer(device, contender, sampler, left);
    else {
      const [strategy = '', ...told] = contender.split(', ');
      for (const seed of left)
        keep({
          ...{ device: device.name, contender, seed },
          ...(await device.play(strategy, options, seed, evaluations, told.length === 0)),
        });
    }
    say(`${device.name}, ${contender}: ${summaryOf(device.name, contender)?.median.toFixed(4) ?? 'no search'}`);
  }
}

/** Five seeds at a time, so that little is lost when it is stopped. */
function playPeer(device: Device, contender: string, sampler: string, left: readonly number[]): void {
  for (let i = 0; i < left.length; i += 5) {
    const some = left.slice(i, i + 5);
    const script = `${import.meta.dirname}/peers/optuna_fronts.py`;
    const args = ['-B', script, sampler, String(evaluations), some.join()];
    const answer = inputToLastLine(flags.python ?? '', args, JSON.stringify(device.values)) as {
      readonly searches: readonly { readonly cells: readonly number[]; readonly cpuSeconds: number }[];
    };
    for (const [k, { cells, cpuSeconds }] of answer.searches.entries())
      keep({ ...{ device: device.name, contender, seed: some[k] ?? 0 }, ...device.judge(cells, cpuSeconds) });
  }
}

function summaryOf(device: string, contender: string) {
  const last = firstSeed + seeds;
  const some = rows.filter(
    (row) => row.device === device && row.contender === contender && row.seed >= firstSeed && row.seed < last,
  );
  if (some.length === 0) return undefined;
  const shares = some.map(({ share }) => share).sort((a, b) => a - b);
  const at = (part: number) => shares[Math.round(part * (shares.length - 1))] ?? Number.NaN;
  const middle = (name: 'testShare' | 'bestTest' | 'members' | 'cpuSeconds') => median(some.map((row) => row[name]));
  return {
    ...{ device, contender, seeds: some.length, median: median(shares), low: at(0.25), high: at(0.75), least: at(0) },
    ...{ testShare: middle('testShare'), bestTest: middle('bestTest'), members: middle('members') },
    cpuSeconds: middle('cpuSeconds'),
  };
}

/** What fronts found on one device come to on another. */
function across(): (string | number)[][] {
  const pairs = devices.flatMap((from) => devices.flatMap((to) => (from === to ? [] : [{ from, to }])));
  return pairs.flatMap(({ from, to }) => {
    const shareThere = (cells: readonly number[]) => to.judge(cells, 0).share;
    const found = wanted.flatMap((contender) => {
      const some = rows.filter((row) => row.device === from.name && row.contender === contender);
      const shares = some.flatMap(({ cells }) => (cells === undefined ? [] : [shareThere(cells)]));
      return shares.length === 0 ? [] : [[from.name, to.name, contender, shares.length, median(shares).toFixed(4)]];
    });
    return [[from.name, to.name, 'the exact front', '', shareThere(from.front).toFixed(4)], ...found];
  });
}

const summaries = devices.flatMap(({ name }) => wanted.flatMap((contender) => summaryOf(name, contender) ?? []));
if (flags.json) process.stdout.write(`${JSON.stringify(summaries, undefined, 1)}\n`);
else {
  for (const { name, cells, reference, front } of devices)
    say(`${name}: ${cells} cells, ${front.length} on the exact front, reference point ${JSON.stringify(reference)}`);
  const lines = summaries.map((one) => [
    ...[one.device, one.contender, one.seeds, one.median.toFixed(4), `${one.low.toFixed(4)} to ${one.high.toFixed(4)}`],
    ...[one.least.toFixed(4), one.testShare.toFixed(4), one.bestTest.toFixed(2), one.members],
    Number(one.cpuSeconds.toPrecision(2)),
  ]);
  const head = [
    'device',
    'strategy',
    'seeds',
    'median',
    'middle half',
    'least',
    'test',
    'best test %',
    'front',
    'CPU s',
  ];
  process.stdout.write(
    `${markdown(head, lines)}\n\n${markdown(['searched on', 'scored on', 'strategy', 'seeds', 'median'], across())}\n`,
  );
}
if (flags.save) say(`saved: ${saveResult('fronts', when, { firstSeed, evaluations, options, summaries, rows })}`);
