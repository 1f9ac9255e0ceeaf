/**
 * Processor seconds of an epoch of ResNet-8, ours and PyTorch's channels-last form (its best), on one thread each. Both sides take
 * turns, each time in a process of its own; a side's time is the least of its rounds, each of which is the median of three epochs.
 * So other processes on the same core disturb the comparison little. Saves the times of all rounds in bench/results/.
 *
 *     taskset -c 1 npx node --conditions=netsmith-source bench/engine/turns.ts --python PATH [--rounds 4] [--side 28 --side 32]
 */
import { join } from 'node:path';
import { parseFlags } from '../support/flags.ts';
import { watchOthers } from './contention.ts';
import type { Measurement } from './order.ts';
import { ask, numberOf, runPeer } from './processes.ts';
import { circumstances, saveResult } from './results.ts';
import { type TurnPoint, turnTable } from './tables.ts';
import { PEER_SIZE, WORKLOADS } from './workloads.ts';

const BATCH = 128;
const FORM = 'channels-last';

const flags = parseFlags({
  python: { type: 'string' },
  rounds: { type: 'string', default: '4' },
  side: { type: 'string', multiple: true, default: ['28', '32'] },
});
const { python } = flags;
if (python === undefined) {
  process.stderr.write('--python PATH: an interpreter with PyTorch is needed\n');
  process.exit(2);
}
const workloads = WORKLOADS.filter(({ network, task }) => {
  return task === 'epoch' && flags.side.some((side) => network === `resnet8-${side}`);
});
const when = circumstances(1);
const others = watchOthers();
const sides = workloads.map((workload) => ({ workload, ours: [] as number[], peers: [] as number[], torch: '' }));
for (let round = 1; round <= Number(flags.rounds); round++) {
  for (const side of sides) {
    const { network, task, peer, processes, runs } = side.workload;
    const actions = processes.flat().map(({ name }) => name);
    const order = { kind: 'work', network, task, actions, size: PEER_SIZE[network], batch: BATCH } as const;
    const { actions: found } = ask<Measurement>('child', { ...order, layout: 'auto', threads: 1, runs: runs.ours });
    for (const { cpuSeconds } of Object.values(found)) side.ours.push(cpuSeconds);
    const args = [...peer.args, '--batch', `${BATCH}`, '--steps', `${runs.peer}`, '--threads', '1'];
    const theirs = runPeer(python, join(import.meta.dirname, '../peers', peer.script), args, FORM);
    side.peers.push(numberOf(theirs, 'epoch_cpu_s'));
    side.torch = String(theirs.fields.torch).replace(/\+.*$/u, '');
    process.stderr.write(
      `${network}, round ${round}: ${side.ours.at(-1)?.toFixed(2)} s, PyTorch ${side.peers.at(-1)} s\n`,
    );
  }
}
const points: readonly TurnPoint[] = sides.map(({ workload, ours, peers, torch }) => {
  return { network: workload.network, peer: `torch ${torch} ${FORM}`, ours, peers };
});
process.stdout.write(`${turnTable(points)}\n`);
process.stderr.write(`saved: ${saveResult('turns', when, { otherCores: others() ?? null, batch: BATCH, points })}\n`);
