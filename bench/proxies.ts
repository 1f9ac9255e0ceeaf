/**
 * Zero-cost proxies on NAS-Bench-201: each scores random architectures on CIFAR-10 images, and is judged by how its scores order their
 * 200-epoch test accuracy. docs/proxies.md says how to read it.
 *
 *     npm run -s bench:proxies -- [--json] [--architectures N] [--only NAME] [--timed N] [--threads N] [--save]
 *     npm run -s bench:proxies -- --search [--seeds N] [--candidates N] [--json] [--save]
 *
 * `--search`: aging evolution by FreeREA's score, and the same by FLOPs alone, judged by the test accuracy of what it found.
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
import { searchAll, searchTable } from './proxies/search.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({
  json: { type: 'boolean', default: false },
  architectures: { type: 'string', default: '500' },
  only: { type: 'string', multiple: true, default: [] },
  timed: { type: 'string', default: '20' },
  search: { type: 'boolean', default: false },
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
const { search: data } = await openDataset({ name: 'cifar-10', dir: flags.data, seed: 0 });

if (flags.search) {
  const [seeds, candidates] = [whole('seeds', flags.seeds, 1), whole('candidates', flags.candidates, 1)];
  const rows = await searchAll({ engine, data, seeds, candidates, say });
  process.stdout.write(flags.json ? `${JSON.stringify(rows, undefined, 1)}\n` : `${searchTable(rows)}\n`);
  if (flags.save) say(`saved: ${saveResult('training-free', when, { seeds, candidates, rows })}`);
} else {
  const [count, timed] = [whole('architectures', flags.architectures, 2), whole('timed', flags.timed, 0)];
  const proxies = PROXIES.filter((name) => flags.only.length === 0 || flags.only.includes(name));
  const rows = await correlate({ engine, data, proxies, count, timed, say });
  process.stdout.write(flags.json ? `${JSON.stringify(rows, undefined, 1)}\n` : `${correlationTable(rows)}\n`);
  if (flags.save) say(`saved: ${saveResult('proxies', when, { batchSize: 64, seed: 0, timed, rows })}`);
}
await engine.dispose();
