/**
 * The training engine against PyTorch, side by side in one run: medians of steps that take turns with the peer's, each side in
 * processes of its own. docs/performance.md says how to read it.
 *
 *     npm run -s bench:engine -- [--json] [--only NAME] [--batch N] [--python PATH] [--compiled] [--profile] [--save]
 *
 * `--python` is an interpreter with PyTorch, in an environment outside the project; without it, only this engine is timed.
 * Progress goes to standard error. Exit code 1 where something could not be measured, 2 for options that make no sense.
 */
import { resolve } from 'node:path';
import { compare, type Layout, type Row } from './engine/compare.ts';
import { watchOthers } from './engine/contention.ts';
import type { Machine } from './engine/order.ts';
import { ask, type PeerForm } from './engine/processes.ts';
import type { Operator, Profile } from './engine/profile-operators.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { comparisonTable, compileTable, operatorTable } from './engine/tables.ts';
import { NAMES, PEER_SIZE, WORKLOADS, type Workload } from './engine/workloads.ts';
import { parseFlags } from './support/flags.ts';

/** Of training steps. */
const BATCHES = [16, 64, 128];
/** Cores kept busy by others from which on a comparison is not to be trusted. */
const DISTURBED = 0.1;

const flags = parseFlags({
  json: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  batch: { type: 'string', multiple: true, default: BATCHES.map(String) },
  python: { type: 'string' },
  peers: { type: 'string', default: resolve(import.meta.dirname, '../../shared/peers') },
  compiled: { type: 'boolean', default: false },
  profile: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '3' },
  threads: { type: 'string', default: '2' },
});
const say = (line: string) => process.stderr.write(`${line}\n`);

function refuse(line: string): never {
  say(line);
  process.exit(2);
}

function whole(name: string, text: string): number {
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 ? value : refuse(`--${name} ${text}: it must be a whole number from 1`);
}

const batches = flags.batch.map((text) => whole('batch', text));
const [rounds, threads] = [whole('rounds', flags.rounds), whole('threads', flags.threads)];
const unknown = flags.only.find((name) => !NAMES.includes(name));
if (unknown !== undefined) refuse(`--only ${unknown}: it must be one of ${NAMES.join(', ')}`);

const wanted = (name: string) => flags.only.length === 0 || flags.only.includes(name);
/** Workloads with the processes that have something wanted to do. */
const workloads = WORKLOADS.map((workload) => ({
  ...workload,
  processes: workload.processes.filter((actions) => actions.some(({ name }) => wanted(name))),
})).filter(({ processes }) => processes.length > 0);
const runs: { workload: Workload; batch: number }[] = workloads.flatMap((workload) =>
  (workload.batch === undefined ? batches : [workload.batch]).map((batch) => ({ workload, batch })),
);

const when = circumstances(threads);
const others = watchOthers();
const machine = ask<Machine>('child', { kind: 'machine', threads });
const layouts: Layout[] = machine.block === 0 ? ['portable'] : ['blocked', 'portable'];
say(`${when.cpu}, ${when.cores} cores, ${threads} threads; matrix product ${machine.gflops.toFixed(0)} GFLOP/s`);

const forms: PeerForm[] = ['default', 'channels-last', ...(flags.compiled ? (['compiled'] as const) : [])];
const peers = flags.python === undefined ? undefined : { python: flags.python, shared: flags.peers, forms };
function failed(what: string, error: unknown): void {
  process.exitCode = 1;
  say(`${what} failed: ${error instanceof Error ? error.message : error}`);
}

const setting = { layouts, threads, rounds, peers, say, failed };
const rows: Row[] = runs
  .flatMap(({ workload, batch }) => compare(workload, batch, setting))
  .filter(({ name }) => wanted(name))
  .sort((a, b) => NAMES.indexOf(a.name) - NAMES.indexOf(b.name));
const otherCores = others() ?? null;
if (otherCores !== null && otherCores > DISTURBED) {
  say(`DISTURBED: other processes kept ${otherCores.toFixed(2)} cores busy meanwhile`);
}
const profiles = flags.profile ? runs.flatMap(({ workload, batch }) => profile(workload, batch)) : [];

function profile({ network, task, processes }: Workload, batch: number): Profile[] {
  const actions = processes.flat().filter(({ name }) => wanted(name));
  return actions.flatMap(({ name }) =>
    layouts.flatMap((layout) => {
      const asked = layout === 'blocked' ? 'auto' : 'portable';
      try {
        say(`${name}, ${network}, batch ${batch}, ${layout}: by operator`);
        const operators = ask<Operator[]>('profile', {
          ...{ kind: 'work', network, task, batch, layout: asked, threads },
          ...{ size: PEER_SIZE[network], actions: [name], runs: 3 },
        });
        return [{ name, network, batch, layout, operators }];
      } catch (error) {
        failed(`the profile of ${name}`, error);
        return [];
      }
    }),
  );
}

const profileText = profiles
  .map(({ name, network, batch, layout, operators }) => {
    return `\n${name}, ${network}, batch ${batch}, ${layout}\n${operatorTable(operators)}\n`;
  })
  .join('');
if (flags.json) {
  process.stderr.write(profileText);
  process.stdout.write(`${JSON.stringify(rows, undefined, 1)}\n`);
} else process.stdout.write(`${comparisonTable(rows)}\n\n${compileTable(rows)}\n${profileText}`);
if (flags.save) {
  const { block } = machine;
  say(`saved: ${saveResult('engine', when, { block, rounds, otherCores, rows, profiles })}`);
}
