import { isDeepStrictEqual } from 'node:util';
import { invalid, messageOf } from '../common/errors.ts';
import { expectSame, expectThat } from '../common/expect.node.ts';
import type { Fidelity } from '../common/fidelity.ts';
import { rng } from '../common/random.ts';
import { shownValue } from '../common/text.ts';
import { openDataset } from '../data/open.node.ts';
import { createEngine } from '../engine/create.ts';
import type { Engine } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { sample } from '../space/index.ts';
import { mlp } from '../space/spaces/index.ts';
import { spaceTask } from '../task/index.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import {
  type Artifacts,
  type Candidate,
  type CheckpointId,
  type EstimateRun,
  type Estimator,
  type Evaluation,
  type Report,
  TrialFailure,
} from './estimator.ts';
import type { EstimatorContext, EstimatorDefinition } from './own.ts';

/** What the suite works on. Estimates should take well under a second. */
export interface EstimatorSetup {
  readonly estimator: Estimator;
  readonly candidate: Candidate;
  /** A candidate that cannot be evaluated, and what the reason must say. */
  readonly failing?: Candidate;
  readonly reason?: RegExp;
  readonly dispose?: () => Promise<void>;
}

const FULL: Fidelity = { epochs: 3, data: 1, resolution: 1, width: 1 };

/** Artifacts in memory, named by number. */
export function artifactsInMemory(): Artifacts {
  const kept: Uint8Array[] = [];
  return {
    put: async (bytes) => String(kept.push(bytes.slice()) - 1),
    async get(hash) {
      const bytes = kept[Number(hash)];
      if (bytes === undefined) throw new Error(`there is no artifact ${hash}`);
      return bytes.slice();
    },
  };
}

/** A run that keeps what is reported, and answers as told. */
export function runOf(change: Partial<EstimateRun> = {}): EstimateRun & { readonly reports: Report[] } {
  const reports: Report[] = [];
  return {
    fidelity: FULL,
    trial: 0,
    fullFidelity: FULL,
    rng: (...labels) => rng('conformance', ...labels),
    signal: new AbortController().signal,
    artifacts: artifactsInMemory(),
    ...change,
    reports,
    async report(report, checkpoint) {
      reports.push(report);
      return (await change.report?.(report, checkpoint)) ?? 'continue';
    },
  };
}

/** All that must be equal when the same training is done again: everything but the time it took. */
export const timeless = ({ metrics, curve }: Pick<Evaluation, 'metrics' | 'curve'>) => ({
  metrics,
  curve: curve.map((report) => ({ step: report.step, metrics: report.metrics })),
});

export type MakeSetup = () => Promise<EstimatorSetup>;

/** One thing that must hold. `check` rejects where it does not. */
export interface Rule {
  readonly title: string;
  check(): Promise<void>;
}
type AddRule = (title: string, body: (given: EstimatorSetup) => Promise<void>) => void;

function collected(setup: MakeSetup, add: (check: AddRule) => void): readonly Rule[] {
  const rules: Rule[] = [];
  add((title, body) =>
    rules.push({
      title,
      async check() {
        const given = await setup();
        try {
          await body(given);
        } finally {
          await given.dispose?.();
        }
      },
    }),
  );
  return rules;
}

/** What every estimator must do that measures a candidate once and has no epochs of its own. */
export function lookRules(setup: MakeSetup): readonly Rule[] {
  return collected(setup, (check) => {
    check('reports once, at the fidelity asked for, and ends with that', async ({ estimator, candidate }) => {
      const run = runOf();
      const result = await estimator.estimate(candidate, run);
      expectSame(result.state, 'complete', 'the state that it returns');
      expectSame(
        run.reports.map(({ step }) => step),
        [FULL.epochs],
        'the steps that it reports (once, the epochs of its fidelity)',
      );
      expectSame(result.curve, run.reports, 'the curve that it returns (all reports)');
      expectSame(result.metrics, run.reports[0]?.metrics, 'the metrics that it returns (those of its report)');
      expectSame(result.seconds, run.reports[0]?.seconds, 'the seconds that it returns (those of its report)');
      expectThat(
        Object.values(result.metrics).every(Number.isFinite) && Object.keys(result.metrics).length > 0,
        `there are metrics, all finite, not ${shownValue(result.metrics)}`,
      );
    });

    check('gives the same numbers when run again', async ({ estimator, candidate }) => {
      const first = await estimator.estimate(candidate, runOf());
      expectSame(timeless(await estimator.estimate(candidate, runOf())), timeless(first), 'the result of a second run');
    });

    for (const answer of ['pause', 'stop'] as const)
      check(`is complete even if its last report is answered with ${answer}`, async ({ estimator, candidate }) => {
        const result = await estimator.estimate(candidate, runOf({ report: async () => answer }));
        expectSame(result.state, 'complete', 'the state that it returns');
      });

    checkAborted(check);
    checkFailing(check);
  });
}

/** What every estimator that trains must do. */
export function trainingRules(setup: MakeSetup): readonly Rule[] {
  return collected(setup, (check) => {
    check('reports every epoch in order, and returns the metrics of one of them', async ({ estimator, candidate }) => {
      const run = runOf({
        async report(_, checkpoint) {
          expectThat(checkpoint !== undefined, 'each report comes with a checkpoint');
          return 'continue';
        },
      });
      const result = await estimator.estimate(candidate, run);
      expectSame(result.state, 'complete', 'the state that it returns');
      expectSame(
        run.reports.map(({ step }) => step),
        [1, 2, 3],
        'the steps that it reports (each epoch)',
      );
      expectSame(result.curve, run.reports, 'the curve that it returns (all reports)');
      // Of the last report, or with early stopping of the best one.
      expectThat(
        run.reports.some(({ metrics }) => isDeepStrictEqual(metrics, result.metrics)),
        `it returns the metrics of one of its reports, not ${shownValue(result.metrics)}`,
      );
      expectSame(result.seconds, run.reports.at(-1)?.seconds, 'the seconds that it returns (those of the last report)');
      for (const { metrics } of run.reports)
        expectThat(Object.values(metrics).every(Number.isFinite), `all metrics are finite, not ${shownValue(metrics)}`);
      const seconds = [0, ...run.reports.map((report) => report.seconds)];
      for (let i = 1; i < seconds.length; i++)
        expectThat(
          (seconds[i] ?? 0) > (seconds[i - 1] ?? 0),
          `the seconds of reports rise, not ${shownValue(seconds)}`,
        );
    });

    check('gives the same numbers when run again, others with another seed', async ({ estimator, candidate }) => {
      const first = await estimator.estimate(candidate, runOf());
      expectSame(timeless(await estimator.estimate(candidate, runOf())), timeless(first), 'the result of a second run');
      const other = runOf({ rng: (...labels) => rng('another seed', ...labels) });
      expectThat(
        !isDeepStrictEqual(timeless(await estimator.estimate(candidate, other)), timeless(first)),
        'another seed (run.rng) gives another result',
      );
    });

    for (const epochs of [1, 2]) {
      check(`paused after epoch ${epochs} and continued, it is as if never paused`, async (given) => {
        const { estimator, candidate } = given;
        const whole = await estimator.estimate(candidate, runOf());
        const artifacts = artifactsInMemory();
        const report = async ({ step }: Report) => (step === epochs ? 'pause' : 'continue') as 'pause' | 'continue';
        const paused = await estimator.estimate(candidate, runOf({ artifacts, report }));
        expectSame([paused.state, paused.curve.length], ['paused', epochs], 'the state and the length of the curve');
        expectThat(paused.checkpoint !== undefined, 'a paused result has a checkpoint');
        const run = runOf({ artifacts, checkpoint: paused.checkpoint });
        const resumed = await estimator.estimate(candidate, run);
        expectSame(resumed.state, 'complete', 'the state after it was continued');
        expectSame(timeless(resumed), timeless(whole), 'the result after a pause');
        expectSame(run.reports[0]?.step, epochs + 1, 'the first step that is reported after a pause');
        expectThat((run.reports[0]?.seconds ?? 0) > paused.seconds, 'the seconds of before a pause count on');
      });
    }

    check('a lower fidelity continued to the full one is as if asked for at once', async ({ estimator, candidate }) => {
      const whole = await estimator.estimate(candidate, runOf());
      const artifacts = artifactsInMemory();
      const low = await estimator.estimate(candidate, runOf({ artifacts, fidelity: { ...FULL, epochs: 1 } }));
      expectSame([low.state, low.curve.length], ['complete', 1], 'the state and the length of the curve at 1 epoch');
      expectThat(low.checkpoint !== undefined, 'a complete result has a checkpoint');
      const high = await estimator.estimate(candidate, runOf({ artifacts, checkpoint: low.checkpoint }));
      expectSame(timeless(high), timeless(whole), 'the result after a lower fidelity');
    });

    check('continues from the checkpoint of the epoch before a crash', async ({ estimator, candidate }) => {
      const whole = await estimator.estimate(candidate, runOf());
      const artifacts = artifactsInMemory();
      let checkpoint: CheckpointId | undefined;
      const crash = new Error('the machine is gone');
      const dying = runOf({
        artifacts,
        async report({ step }, latest) {
          checkpoint = latest;
          if (step === 2) throw crash;
          return 'continue';
        },
      });
      await expectRejected(
        estimator.estimate(candidate, dying),
        (error) => error === crash,
        'an error of run.report is thrown on',
      );
      expectThat(checkpoint !== undefined, 'each report comes with a checkpoint');
      expectSame(
        timeless(await estimator.estimate(candidate, runOf({ artifacts, checkpoint }))),
        timeless(whole),
        'the result after a crash',
      );
    });

    check('with nothing left to do it is complete at once', async ({ estimator, candidate }) => {
      const artifacts = artifactsInMemory();
      const whole = await estimator.estimate(candidate, runOf({ artifacts }));
      expectThat(whole.checkpoint !== undefined, 'a complete result has a checkpoint');
      const run = runOf({ artifacts, checkpoint: whole.checkpoint });
      expectSame(await estimator.estimate(candidate, run), whole, 'the result of a run that has nothing left to do');
      expectSame(run.reports, [], 'the reports of a run that has nothing left to do');
    });

    check('stopped it is pruned; an answer to the last epoch changes nothing', async ({ estimator, candidate }) => {
      const stopped = await estimator.estimate(candidate, runOf({ report: async () => 'stop' }));
      expectSame(
        [stopped.state, stopped.curve.length],
        ['pruned', 1],
        'the state and the length of the curve, once stopped',
      );
      const report = async ({ step }: Report) => (step === 3 ? 'stop' : 'continue') as 'stop' | 'continue';
      expectSame(
        (await estimator.estimate(candidate, runOf({ report }))).state,
        'complete',
        'the state when the last epoch is answered with stop',
      );
    });

    checkAborted(check);
    checkFailing(check);

    check('from a checkpoint that is damaged or lost it starts over, and says so', async ({ estimator, candidate }) => {
      const whole = await estimator.estimate(candidate, runOf());
      const artifacts = artifactsInMemory();
      const damaged = await artifacts.put(new TextEncoder().encode('something else'));
      for (const [checkpoint, why] of [
        [damaged, /starts over: not a readable checkpoint/],
        ['7', /starts over: there is no artifact 7/],
      ] as const) {
        const notes: string[] = [];
        const run = runOf({ artifacts, checkpoint, note: (text) => notes.push(text) });
        expectSame(
          timeless(await estimator.estimate(candidate, run)),
          timeless(whole),
          'the result from a damaged checkpoint',
        );
        expectSame(notes.length, 1, 'the number of notes (run.note) on a damaged checkpoint');
        expectThat(why.test(notes[0] ?? ''), `the note matches ${why}, not ${shownValue(notes[0])}`);
      }
    });
  });
}

function checkAborted(check: AddRule): void {
  check('aborted it rejects with the reason of the signal', async ({ estimator, candidate }) => {
    const reason = new Error('the worker is told to go');
    const early = runOf({ signal: AbortSignal.abort(reason) });
    await expectRejected(estimator.estimate(candidate, early), (error) => error === reason, ABORT);
    expectSame(early.reports, [], 'the reports of a run that was aborted before it began');
    const controller = new AbortController();
    const late = runOf({
      signal: controller.signal,
      async report() {
        controller.abort(reason);
        return 'continue';
      },
    });
    await expectRejected(estimator.estimate(candidate, late), (error) => error === reason, ABORT);
    expectSame(late.reports.length, 1, 'the number of reports when the first is answered by an abort');
  });
}

function checkFailing(check: AddRule): void {
  check(
    'a candidate that cannot be evaluated fails with the reason',
    async ({ estimator, failing, reason = /(?:)/ }) => {
      if (failing === undefined) return;
      const run = runOf();
      await expectRejected(
        estimator.estimate(failing, run),
        (error) => error instanceof TrialFailure && reason.test(error.message),
        `a candidate that cannot be evaluated throws TrialFailure with a message like ${reason}`,
      );
      expectSame(run.reports, [], 'the reports of a candidate that cannot be evaluated');
    },
  );
}

export interface CheckEstimatorOptions {
  /**
   * What it estimates, which should take well under a second. Default, for a definition: a small network of the space `mlp` on the bundled
   * digits.
   */
  readonly candidate?: Candidate;
  /** look (the default): measures a candidate once; training: reports every epoch and resumes from checkpoints. */
  readonly kind?: 'look' | 'training';
  /** A candidate that it cannot evaluate. */
  readonly failing?: Candidate;
  /** Of a definition: its options. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Of a definition: what it is opened with in place of the suite's own (100 samples of the bundled digits, training as by default, one thread). */
  readonly context?: Partial<EstimatorContext>;
}

/**
 * Checks that an estimator (a definition, or one that is open) keeps the rules that a study relies on: what it reports and returns agree, the
 * same randomness gives the same numbers, an abort rejects with the signal's reason; and, of one that trains, that pausing, continuing and a
 * crash change nothing. Throws Error, with the rule, at the first one that is broken; UserError for options that it does not have, and for
 * one that is open without a candidate.
 */
export async function checkEstimator(
  given: Estimator | EstimatorDefinition,
  { candidate, kind = 'look', failing, options = {}, context = {} }: CheckEstimatorOptions = {},
): Promise<void> {
  if (!('open' in given)) {
    if (candidate === undefined)
      throw invalid('checkEstimator', 'no candidate', 'an estimator that is open needs one; a definition does not');
    return checkRules('the estimator', given, candidate, kind, failing);
  }
  let opened: Promise<Engine> | undefined;
  const engine = () => {
    opened ??= createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
    return opened;
  };
  const { search } = await openDataset({ name: 'digits', seed: 0, validShare: 0.25, trainSamples: 100 });
  const data = context.data ?? search;
  const space = context.space ?? candidate?.space ?? mlp.create(spaceTask(data.info, data.task));
  const own: EstimatorContext = {
    ...{ space, data, training: DEFAULT_SETTINGS, seed: 0, memoryBytes: 2 ** 30, engine },
    objectives: [{ metric: 'accuracy', direction: 'maximize', unit: 'share' }],
    ...context,
  };
  try {
    const estimator = await given.open(own, options);
    const one = candidate ?? { space, architecture: sample(space, rng('checkEstimator')) };
    await checkRules(`estimator "${given.name}"`, estimator, one, kind, failing);
  } finally {
    if (opened !== undefined) await (await opened).dispose();
  }
}

async function checkRules(
  name: string,
  estimator: Estimator,
  candidate: Candidate,
  kind: 'look' | 'training',
  failing: Candidate | undefined,
): Promise<void> {
  const setup = async () => ({ estimator, candidate, ...(failing && { failing }) });
  for (const { title, check } of kind === 'look' ? lookRules(setup) : trainingRules(setup)) {
    try {
      await check();
    } catch (error) {
      throw new Error(`${name} breaks the rule "${title}": ${messageOf(error)}`, { cause: error });
    }
  }
}

const ABORT = 'an aborted run rejects with the reason of run.signal';

async function expectRejected(run: Promise<unknown>, fits: (error: unknown) => boolean, what: string): Promise<void> {
  const found = await run.then(
    () => 'it does not reject',
    (error: unknown) => (fits(error) ? undefined : `it rejects with ${messageOf(error)}`),
  );
  expectThat(found === undefined, `${what}; ${found}`);
}
