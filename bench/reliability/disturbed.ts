/** What the reliability benches share: their flags, commands disturbed at random moments, and the comparison of results. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { rng } from '../../src/common/random.ts';
import { openStudyStore } from '../../src/study/study.node.ts';
import { trainedEssence } from '../../src/study/testing/studies.ts';
import { parseFlags } from '../support/flags.ts';

const BIN = join(import.meta.dirname, '../../bin/netsmith.js');
const SEARCH =
  'search --space nas-bench-201 --space-options cells=1,channels=4 --train-samples 300 --epochs 2 --trials 4 --confirm 2 --seed 5';
const EVALUATE = ['evaluate', '--seeds', '2', '--no-baselines'];
const RUN = `${SEARCH.replace('search', 'run')} --workers 1 --seeds 2 --no-baselines`;

const PHASES = ['search', 'confirm', 'evaluate', 'run'] as const;
type Phase = (typeof PHASES)[number];

/** A moment: the command has written `mark`, and then a random time below `within` milliseconds has passed. */
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
  run: [
    ['[2 of 4]', 400],
    ['Retraining trial', 1500],
    ['seed 0: test', 400],
    ['seed 1: test', 1500],
  ],
};

interface Moment {
  readonly phase: Phase;
  readonly mark: string;
  readonly delayMs: number;
}

/** The moment `index` of the seed: the phases in turn. */
function momentOf(seed: number, index: number, phases: readonly Phase[]): Moment {
  const phase = phases[index % phases.length] as Phase;
  const stream = rng('moment', seed, index);
  const [mark, within] = stream.pick(MARKS[phase]);
  return { phase, mark, delayMs: stream.int(within) };
}

/** How a command ended. */
interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly err: string;
  /** From the moment that it was disturbed to its end. */
  readonly seconds: number;
}

/** Runs a command and calls `disturb` at the moment, unless the command ends before. */
function command(args: readonly string[], moment?: Moment, disturb: (child: ChildProcess) => void = () => {}) {
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
const commandOf = (phase: Phase, dir: string): readonly string[] =>
  phase === 'evaluate' ? [...EVALUATE, dir] : [...(phase === 'run' ? RUN : SEARCH).split(' '), '--out', dir];

/** The command that completes the phase after a disturbance. */
const continuation = (phase: Phase, dir: string): readonly string[] =>
  phase !== 'evaluate' && existsSync(join(dir, 'study.db')) ? ['resume', dir] : commandOf(phase, dir);

/** Copies what the phase starts from into the folder: nothing, or a finished search. */
function prepare(phase: Phase, dir: string, undisturbed: string): void {
  if (phase !== 'evaluate') return;
  cpSync(undisturbed, dir, { recursive: true, filter: (path) => !path.endsWith('best') });
}

/** The expected results: an undisturbed search and confirmation, and an evaluation if it is one of them. */
async function undisturbedIn(dir: string, phases: readonly Phase[]): Promise<void> {
  const isEvaluated = phases.includes('evaluate') || phases.includes('run');
  const commands = isEvaluated ? (['search', 'evaluate'] as const) : (['search'] as const);
  for (const phase of commands) {
    const { code, err } = await command(commandOf(phase, dir));
    if (code !== 0) throw new Error(err);
  }
}

/** Whether two studies have the same trials, strategy state, evaluation and weights; times may differ. */
async function isEqual(phase: Phase, dir: string, undisturbed: string): Promise<boolean> {
  const [a, b] = [await outcomeOf(phase, dir), await outcomeOf(phase, undisturbed)];
  return isDeepStrictEqual(a, b);
}

async function outcomeOf(phase: Phase, dir: string) {
  const store = await openStudyStore(dir, 'read');
  const { trials, strategy } = await trainedEssence(store);
  await store.close();
  if (phase !== 'evaluate' && phase !== 'run') return { trials, strategy };
  const evaluation: unknown = JSON.parse(readFileSync(join(dir, 'best/evaluation.json'), 'utf8'));
  const weights = createHash('sha256')
    .update(readFileSync(join(dir, 'best/weights.bin')))
    .digest('hex');
  return { trials, strategy, evaluation, weights };
}

/** Whether a text has a stack in it. */
const hasStack = (text: string): boolean => /\n\s+at /.test(text);

/** One disturbance and its outcome. */
interface Row extends Moment {
  readonly code: number | null;
  readonly seconds: number;
  /** Whether the disturbed command, or the one that continued it, printed a stack. */
  readonly stack: boolean;
  /** Whether the continuing command succeeded with the results of an undisturbed run. */
  readonly equal: boolean;
}

/** A line for each phase: moments, equal results, stacks, the longest time from the disturbance to the end. */
function summaryOf(rows: readonly Row[], phases: readonly Phase[]): string {
  return phases
    .map((phase) => {
      const of = rows.filter((row) => row.phase === phase);
      const count = (is: (row: Row) => boolean) => of.filter(is).length;
      const longest = Math.max(0, ...of.map(({ seconds }) => seconds));
      return `${phase}: ${of.length} moments, ${count(({ equal }) => equal)} with the undisturbed result, ${count(({ stack }) => stack)} with a stack, ended within ${longest.toFixed(1)} s`;
    })
    .join('\n');
}

/** A way to disturb a command. */
export interface Disturbance {
  /** Where an undisturbed study is kept. The caller creates and removes it. */
  readonly root: string;
  /** The folder of the disturbed study, created and removed for each moment. */
  readonly dir: string;
  disturb(child: ChildProcess): void;
  /** Removes the cause after the command has ended. */
  repair?(): void;
  /** Whether the command ended because of the disturbance. If not, another moment is drawn. */
  isDisturbed(ended: Ended): boolean;
}

/**
 * The bench of one disturbance, with the flags `--moments`, `--seed`, `--only` and `--json`: a line of progress for each moment, then a
 * summary. The exit code is 1 if a result differs, a stack was printed, or too few moments disturbed a command.
 */
export function reliabilityBench(moments: number): (disturbance: Disturbance) => Promise<void> {
  const flags = parseFlags({
    moments: { type: 'string', default: `${moments}` },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
  });
  const wanted = Number(flags.moments);
  const phases = PHASES.filter((phase) => flags.only?.includes(phase) ?? true);
  return async ({ root, dir, disturb, repair, isDisturbed }) => {
    const undisturbed = join(root, 'undisturbed');
    await undisturbedIn(undisturbed, phases);
    const rows: Row[] = [];
    for (let index = 0; rows.length < wanted && index < 4 * wanted; index++) {
      const moment = momentOf(Number(flags.seed), index, phases);
      const { phase } = moment;
      prepare(phase, dir, undisturbed);
      const ended = await command(commandOf(phase, dir), moment, disturb);
      repair?.();
      if (isDisturbed(ended)) {
        const next = await command(continuation(phase, dir));
        // An error that the program reports has exit code 1; a kill has none.
        const isReported = ended.code === null || ended.code === 1;
        const equal = isReported && next.code === 0 && (await isEqual(phase, dir, undisturbed));
        const { code, seconds } = ended;
        rows.push({ ...moment, code, seconds, stack: hasStack(ended.err) || hasStack(next.err), equal });
        const said = ended.err.split('\n').filter((line) => line.startsWith('netsmith:'));
        process.stderr.write(`${[`${rows.length} of ${wanted}: ${JSON.stringify(rows.at(-1))}`, ...said].join(' ')}\n`);
        if (!equal) process.stderr.write(`${ended.err}${next.err}`);
      }
      rmSync(dir, { recursive: true, force: true });
    }
    process.stdout.write(`${flags.json ? JSON.stringify(rows, undefined, 1) : summaryOf(rows, phases)}\n`);
    process.exitCode = rows.length === wanted && rows.every(({ equal, stack }) => equal && !stack) ? 0 : 1;
  };
}
