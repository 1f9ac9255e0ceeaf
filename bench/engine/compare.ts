/** Times one workload at one batch size: our layouts and the peer's forms take turns, each time in their own process. */
import { join } from 'node:path';
import type { Machine, Measured, Measurement, WorkOrder } from './order.ts';
import { ask, numberOf, type PeerForm, type PeerRun, runPeer } from './processes.ts';
import { median } from './statistics.ts';
import { type Action, PEER_SIZE, type Workload } from './workloads.ts';

export type Layout = 'blocked' | 'portable';

/** What is timed against what. */
export interface Row {
  readonly name: string;
  readonly layout: Layout;
  readonly batch: number;
  /** Of one step or run: the median over the rounds of each round's median. */
  readonly seconds: number;
  /** Of the process, the largest of the rounds. */
  readonly peakMiB: number;
  readonly peer: string | null;
  readonly peerSeconds: number | null;
  readonly peerPeakMiB: number | null;
  /** peerSeconds / seconds */
  readonly ratio: number | null;
  readonly network: string;
  readonly parameters: number;
  /** Two operations for each multiply-add of our graph. */
  readonly gflops: number;
  /** gflops as a share of what the machine's matrix products reach. */
  readonly matrixShare: number;
  /** What they reach: the median of the rounds. */
  readonly matrixGflops: number;
  /** From the description of the network to a session that is ready. */
  readonly compileSeconds: number;
  /** Of the peer's compiled form alone. */
  readonly peerCompileSeconds?: number;
}

export interface Setting {
  readonly layouts: readonly Layout[];
  readonly threads: number;
  readonly rounds: number;
  readonly peers: { readonly python: string; readonly shared: string; readonly forms: readonly PeerForm[] } | undefined;
  /** Told what is measured next. */
  say(line: string): void;
  /** Told of what could not be measured; its rows are left out. */
  failed(what: string, error: unknown): void;
}

/** Rows of all of the workload's actions. */
export function compare(workload: Workload, batch: number, setting: Setting): Row[] {
  const { network, task, processes, runs } = workload;
  const { layouts, threads, rounds, peers, say, failed } = setting;
  const title = `${network}, ${task === 'train' ? 'training' : 'inference'}, batch ${batch}`;
  const ours = layouts.flatMap((layout) =>
    processes.map((actions) => ({ layout, actions, found: [] as Measurement[] })),
  );
  const theirs = (peers?.forms ?? [])
    .filter((form) => form !== 'compiled' || workload.peer.compiles)
    .map((form) => ({ form, found: [] as PeerRun[] }));
  const broken = new Set<unknown>();
  /** Once a side has failed it is not tried again. */
  const attempt = (side: unknown, what: string, measure: () => void) => {
    if (broken.has(side)) return;
    say(`${title}: ${what}`);
    try {
      measure();
    } catch (error) {
      broken.add(side);
      failed(`${title}: ${what}`, error);
    }
  };

  const matrixGflops: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    matrixGflops.push(ask<Machine>('child', { kind: 'machine', threads }).gflops);
    for (const side of ours) {
      const { layout, actions, found } = side;
      const order: WorkOrder = {
        ...{ kind: 'work', network, task, batch, threads, runs: runs.ours },
        size: PEER_SIZE[network],
        layout: layout === 'blocked' ? 'auto' : 'portable',
        actions: actions.map(({ name }) => name),
      };
      attempt(side, `round ${round}, ${layout}, ${order.actions.join(' and ')}`, () => {
        found.push(ask<Measurement>('child', order));
      });
    }
    for (const side of theirs) {
      const { form, found } = side;
      if (peers === undefined || (form === 'compiled' && round < rounds)) continue;
      const { script, shared, args } = workload.peer;
      const file = join(shared ? peers.shared : join(import.meta.dirname, '../peers'), script);
      const counts = { '--batch': batch, '--steps': runs.peer, '--threads': threads };
      const options = [...args, ...Object.entries(counts).flatMap(([name, value]) => [name, `${value}`])];
      attempt(side, `round ${round}, ${script}, ${form}`, () => {
        found.push(runPeer(peers.python, file, options, form));
      });
    }
  }

  const usual = theirs.find(({ form }) => form === 'default');
  return ours
    .filter((side) => !broken.has(side))
    .flatMap(({ layout, actions, found }) =>
      actions.flatMap((action) => {
        const own = ownPart(workload, action, layout, batch, found, median(matrixGflops));
        const peerParts = theirs
          .filter((side) => !broken.has(side))
          .flatMap(({ form, found: peerRuns }) => {
            try {
              return [peerPart(form, peerRuns, action, own, usual?.found ?? [], runs.peer)];
            } catch (error) {
              failed(`${title}: ${workload.peer.script}, ${form}`, error);
              return [];
            }
          });
        const none = { peer: null, peerSeconds: null, peerPeakMiB: null, ratio: null };
        return (peerParts.length === 0 ? [none] : peerParts).map((part): Row => inOrder({ ...own, ...part }));
      }),
    );
}

type PeerPart = Pick<Row, 'peer' | 'peerSeconds' | 'peerPeakMiB' | 'ratio' | 'peerCompileSeconds'>;
type OwnPart = Omit<Row, keyof PeerPart>;

function ownPart(
  { network }: Workload,
  { name }: Action,
  layout: Layout,
  batch: number,
  found: readonly Measurement[],
  matrixGflops: number,
): OwnPart {
  const all = found.flatMap(({ actions }): Measured[] => {
    const one = actions[name];
    return one === undefined ? [] : [one];
  });
  const seconds = median(all.map((one) => one.seconds));
  const gflops = (2 * (all[0]?.multiplyAdds ?? 0)) / seconds / 1e9;
  return {
    ...{ name, layout, batch, network },
    seconds: rounded(seconds),
    peakMiB: Math.round(Math.max(...all.map(({ peakMiB }) => peakMiB))),
    parameters: all[0]?.parameters ?? 0,
    gflops: rounded(gflops),
    matrixShare: rounded(gflops / matrixGflops),
    matrixGflops: rounded(matrixGflops),
    compileSeconds: rounded(median(all.map(({ openSeconds }) => openSeconds))),
  };
}

function peerPart(
  form: PeerForm,
  found: readonly PeerRun[],
  { peerField }: Action,
  own: OwnPart,
  usual: readonly PeerRun[],
  steps: number,
): PeerPart {
  const [first] = found;
  if (first === undefined) throw new Error(`the peer's ${form} form has not run`);
  const parameters = numberOf(first, 'params' in first.fields ? 'params' : 'weights');
  if (parameters !== own.parameters) {
    throw new Error(`${own.network}: ${own.parameters} weights here, ${parameters} in the peer: not the same network`);
  }
  const secondsOf = (runs: readonly PeerRun[]) => median(runs.map((run) => numberOf(run, peerField)));
  const seconds = secondsOf(found);
  const part = {
    peer: `torch ${String(first.fields.torch).replace(/\+.*$/u, '')} ${form}`,
    peerSeconds: rounded(seconds),
    peerPeakMiB: Math.max(...found.map((run) => numberOf(run, 'peak_rss_mib'))),
    ratio: rounded(seconds / own.seconds),
  };
  if (form !== 'compiled' || usual.length === 0) return part;
  // What the process took beyond one in the default form that does as many steps.
  const longer = first.wallSeconds - median(usual.map(({ wallSeconds }) => wallSeconds));
  return { ...part, peerCompileSeconds: rounded(longer - (steps + 1) * (seconds - secondsOf(usual))) };
}

/** Four digits: the noise is in the second or third. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The documented fields first. */
function inOrder({ name, layout, batch, seconds, peakMiB, peer, peerSeconds, peerPeakMiB, ratio, ...more }: Row): Row {
  return { name, layout, batch, seconds, peakMiB, peer, peerSeconds, peerPeakMiB, ratio, ...more };
}
