/** What the reliability benches share: commands that are disturbed at a moment, and what their studies come to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { rng } from '../../src/common/random.ts';
import { openStudy } from '../../src/study/study.node.ts';

const BIN = join(import.meta.dirname, '../../bin/netsmith.js');
const SEARCH =
  'search --space nas-bench-201 --space-options cells=1,channels=4 --train-samples 300 --epochs 2 --trials 4 --confirm 2 --seed 5';
const EVALUATE = ['evaluate', '--seeds', '2', '--no-baselines'];

export const PHASES = ['search', 'confirm', 'evaluate'] as const;
export type Phase = (typeof PHASES)[number];

/** What a command has written by then, and how long after that it may be disturbed (milliseconds). */
const MARKS: Readonly<Record<Phase, readonly (readonly [mark: string, within: number])[]>> = {
  search: [
    ['handwritten digits', 1500],
    ['Estimate (largest of', 800],
    ['[1 of 4]', 400],
    ['[2 of 4]', 400],
    ['[3 of 4]', 400],
  ],
  confirm: [
    ['Confirming', 400],
    ['[1 of 2]', 400],
  ],
  evaluate: [
    ['', 3000],
    ['seed 0: test', 400],
  ],
};

export interface Moment {
  readonly phase: Phase;
  readonly mark: string;
  readonly delayMs: number;
}

/** The moment `index` of the seed: the phases in turn. */
export function momentOf(seed: number, index: number, phases: readonly Phase[]): Moment {
  const phase = phases[index % phases.length] as Phase;
  const stream = rng('moment', seed, index);
  const [mark, within] = stream.pick(MARKS[phase]);
  return { phase, mark, delayMs: stream.int(within) };
}

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly err: string;
  /** From the moment that it was disturbed to its end. */
  readonly seconds: number;
}

/** Runs a command, and does `disturb` to it at the moment, if it comes so far. */
export function command(args: readonly string[], moment?: Moment, disturb: (child: ChildProcess) => void = () => {}) {
  return new Promise<Ended>((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    let disturbed: number | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      if (moment === undefined || timer !== undefined || !err.includes(moment.mark)) return;
      timer = setTimeout(() => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        disturbed = performance.now();
        disturb(child);
      }, moment.delayMs);
    };
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      look();
    });
    look();
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, err, seconds: disturbed === undefined ? 0 : (performance.now() - disturbed) / 1000 });
    });
  });
}

/** The command that a phase is part of, in this folder. */
export const commandOf = (phase: Phase, dir: string): readonly string[] =>
  phase === 'evaluate' ? [...EVALUATE, dir] : [...SEARCH.split(' '), '--out', dir];

/** The command after which the phase is done, however far it had come. */
export const wayOn = (phase: Phase, dir: string): readonly string[] =>
  phase !== 'evaluate' && existsSync(join(dir, 'study.db')) ? ['resume', dir] : commandOf(phase, dir);

/** Brings what the phase begins with into the folder: nothing, or a search that has ended. */
export function prepare(phase: Phase, dir: string, undisturbed: string): void {
  if (phase !== 'evaluate') return;
  cpSync(undisturbed, dir, { recursive: true, filter: (path) => !path.endsWith('best') });
}

/** The expected results: an undisturbed search and confirmation, and an evaluation if it is one of the phases. */
export async function undisturbedIn(dir: string, phases: readonly Phase[]): Promise<void> {
  const commands = phases.includes('evaluate') ? (['search', 'evaluate'] as const) : (['search'] as const);
  for (const phase of commands) {
    const { code, err } = await command(commandOf(phase, dir));
    if (code !== 0) throw new Error(err);
  }
}

/** Whether a study in `dir` came to what the other came to, in all but times: trials, strategy, evaluation, weights. */
export async function isEqual(phase: Phase, dir: string, undisturbed: string): Promise<boolean> {
  const [a, b] = [await outcomeOf(phase, dir), await outcomeOf(phase, undisturbed)];
  return isDeepStrictEqual(a, b);
}

async function outcomeOf(phase: Phase, dir: string) {
  const store = await openStudy(dir, 'read');
  const trials = (await store.trials()).map(
    ({ startedAt, endedAt, attempts, fence, seconds, checkpoint, curve, ...trial }) => ({
      ...trial,
      curve: curve.map(({ step, metrics }) => ({ step, metrics })),
    }),
  );
  const strategy = await store.strategyState();
  await store.close();
  if (phase !== 'evaluate') return { trials, strategy };
  const evaluation: unknown = JSON.parse(readFileSync(join(dir, 'best/evaluation.json'), 'utf8'));
  const weights = createHash('sha256')
    .update(readFileSync(join(dir, 'best/weights.bin')))
    .digest('hex');
  return { trials, strategy, evaluation, weights };
}

/** Whether a text has a stack in it. */
export const hasStack = (text: string): boolean => /\n\s+at /.test(text);

/** One disturbance and what came of it. */
export interface Row extends Moment {
  readonly code: number | null;
  readonly seconds: number;
  /** Of the command that was disturbed, or of the one that went on. */
  readonly stack: boolean;
  /** Whether the command that went on succeeded, and came to what an undisturbed one comes to. */
  readonly equal: boolean;
}

/** A line for each phase: moments, equal results, stacks, the longest time from the disturbance to the end. */
export function summaryOf(rows: readonly Row[], phases: readonly Phase[]): string {
  return phases
    .map((phase) => {
      const of = rows.filter((row) => row.phase === phase);
      const count = (is: (row: Row) => boolean) => of.filter(is).length;
      const longest = Math.max(0, ...of.map(({ seconds }) => seconds));
      return `${phase}: ${of.length} moments, ${count(({ equal }) => equal)} with the undisturbed result, ${count(({ stack }) => stack)} with a stack, ended within ${longest.toFixed(1)} s`;
    })
    .join('\n');
}
