/**
 * Zero-cost proxies on NAS-Bench-201: each scores random architectures on CIFAR-10 images, and is judged by how its scores order their
 * 200-epoch test accuracy. docs/proxies.md says how to read it.
 *
 *     npm run -s bench:proxies -- [--json] [--architectures N] [--only NAME] [--timed N] [--threads N] [--save]
 *     npm run -s bench:proxies -- --search [--seeds N] [--candidates N] [--json] [--save]
 *     npm run -s bench:proxies -- --equal-time SECONDS [--architectures 20] [--train-samples 2000] [--json] [--save]
 *
 * `--search`: aging evolution by FreeREA's score, and the same by FLOPs alone, judged by the test accuracy of what it found.
 * `--equal-time`: random members of residual-cnn, each trained for these seconds of the processor, judged by validation accuracy.
 * Progress goes to standard error.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { openDataset } from '../src/data/open.node.ts';
import { createEngine } from '../src/engine/create.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { PROXIES } from '../src/estimate/proxies/measure.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { correlate, correlationTable } from './proxies/correlations.ts';
import { equalTimeTable, orderRows, trainEqually } from './proxies/equal-time.ts';
import { searchAll, searchTable } from './proxies/search.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  json: { type: 'boolean', default: false },
  architectures: { type: 'string' },
  only: { type: 'string', multiple: true, default: [] },
  timed: { type: 'string', default: '20' },
  search: { type: 'boolean', default: false },
  'equal-time': { type: 'string' },
  'train-samples': { type: 'string', default: '2000' },
  seeds: { type: 'string', default: '5' },
  candidates: { type: 'string', default: '1000' },
  threads: { type: 'string', default: String(availableParallelism()) },
  data: { type: 'string', default: join(import.meta.dirname, '../../shared/data/cifar-10-batches-bin') },
  save: { type: 'boolean', default: false },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  say(`--${name} ${text}: it must be a whole number from ${least}`);
  process.exit(2);
}

const unknown = flags.only.find((one) => !PROXIES.some((name) => name === one));
if (unknown !== undefined) {
  say(`--only ${unknown}: it must be one of ${PROXIES.join(', ')}`);
  process.exit(2);
}
const threads = whole('threads', flags.threads, 1);
const when = circumstances(threads);
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads });
/** Of the training samples of `--equal-time`, as many again are for validation. */
const samples =
  flags['equal-time'] === undefined
    ? {}
    : { trainSamples: 2 * whole('train-samples', flags['train-samples'], 2), validShare: 0.5 };
const { search: data } = await openDataset({ name: 'cifar-10', dir: flags.data, seed: 0, ...samples });

if (flags['equal-time'] !== undefined) {
  const seconds = whole('equal-time', flags['equal-time'], 1);
  const count = whole('architectures', flags.architectures ?? '20', 2);
  const members = await trainEqually({ engine, data, count, seconds, say });
  const rows = orderRows(members, seconds);
  process.stdout.write(
    flags.json ? `${JSON.stringify({ members, rows }, undefined, 1)}\n` : `${equalTimeTable(rows)}\n`,
  );
  if (flags.save) say(`saved: ${saveResult('proxies-equal-time', when, { seconds, samples, rows, members })}`);
} else if (flags.search) {
  const [seeds, candidates] = [whole('seeds', flags.seeds, 1), whole('candidates', flags.candidates, 1)];
  const rows = await searchAll({ engine, data, seeds, candidates, say });
  process.stdout.write(flags.json ? `${JSON.stringify(rows, undefined, 1)}\n` : `${searchTable(rows)}\n`);
  if (flags.save) say(`saved: ${saveResult('training-free', when, { seeds, candidates, rows })}`);
} else {
  const [count, timed] = [whole('architectures', flags.architectures ?? '500', 2), whole('timed', flags.timed, 0)];
  const proxies = PROXIES.filter((name) => flags.only.length === 0 || flags.only.includes(name));
  const rows = await correlate({ engine, data, proxies, count, timed, say });
  process.stdout.write(flags.json ? `${JSON.stringify(rows, undefined, 1)}\n` : `${correlationTable(rows)}\n`);
  if (flags.save) say(`saved: ${saveResult('proxies', when, { batchSize: 64, seed: 0, timed, rows })}`);
}
await engine.dispose();
