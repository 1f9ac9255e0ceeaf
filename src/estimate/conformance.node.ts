import assert from 'node:assert/strict';
import { messageOf } from '../common/errors.ts';
import type { Fidelity } from '../common/fidelity.ts';
import { rng } from '../common/random.ts';
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
      assert.equal(result.state, 'complete');
      assert.deepEqual(
        run.reports.map(({ step }) => step),
        [FULL.epochs],
      );
      assert.deepEqual(result.curve, run.reports);
      assert.deepEqual(result.metrics, run.reports[0]?.metrics);
      assert.equal(result.seconds, run.reports[0]?.seconds);
      assert.ok(Object.values(result.metrics).every(Number.isFinite) && Object.keys(result.metrics).length > 0);
    });

    check('gives the same numbers when run again', async ({ estimator, candidate }) => {
      const first = await estimator.estimate(candidate, runOf());
      assert.deepEqual(timeless(await estimator.estimate(candidate, runOf())), timeless(first));
    });

    for (const answer of ['pause', 'stop'] as const)
      check(`is complete even if its last report is answered with ${answer}`, async ({ estimator, candidate }) => {
        const result = await estimator.estimate(candidate, runOf({ report: async () => answer }));
        assert.equal(result.state, 'complete');
      });

    checkAborted(check);
    checkFailing(check);
  });
}

/** What every estimator that trains must do. */
export function trainingRules(setup: MakeSetup): readonly Rule[] {
  return collected(setup, (check) => {
    check('reports every epoch in order, and ends with the last report', async ({ estimator, candidate }) => {
      const run = runOf({
        async report(_, checkpoint) {
          assert.ok(checkpoint !== undefined);
          return 'continue';
        },
      });
      const result = await estimator.estimate(candidate, run);
      assert.equal(result.state, 'complete');
      assert.deepEqual(
        run.reports.map(({ step }) => step),
        [1, 2, 3],
      );
      assert.deepEqual(result.curve, run.reports);
      assert.deepEqual(result.metrics, run.reports.at(-1)?.metrics);
      assert.equal(result.seconds, run.reports.at(-1)?.seconds);
      for (const { metrics } of run.reports) assert.ok(Object.values(metrics).every(Number.isFinite));
      const seconds = [0, ...run.reports.map((report) => report.seconds)];
      for (let i = 1; i < seconds.length; i++) assert.ok((seconds[i] ?? 0) > (seconds[i - 1] ?? 0));
    });

    check('gives the same numbers when run again, others with another seed', async ({ estimator, candidate }) => {
      const first = await estimator.estimate(candidate, runOf());
      assert.deepEqual(timeless(await estimator.estimate(candidate, runOf())), timeless(first));
      const other = runOf({ rng: (...labels) => rng('another seed', ...labels) });
      assert.notDeepEqual(timeless(await estimator.estimate(candidate, other)), timeless(first));
    });

    for (const epochs of [1, 2]) {
      check(`paused after epoch ${epochs} and continued, it is as if never paused`, async (given) => {
        const { estimator, candidate } = given;
        const whole = await estimator.estimate(candidate, runOf());
        const artifacts = artifactsInMemory();
        const report = async ({ step }: Report) => (step === epochs ? 'pause' : 'continue') as 'pause' | 'continue';
        const paused = await estimator.estimate(candidate, runOf({ artifacts, report }));
        assert.deepEqual([paused.state, paused.curve.length], ['paused', epochs]);
        assert.ok(paused.checkpoint !== undefined);
        const run = runOf({ artifacts, checkpoint: paused.checkpoint });
        const resumed = await estimator.estimate(candidate, run);
        assert.equal(resumed.state, 'complete');
        assert.deepEqual(timeless(resumed), timeless(whole));
        assert.equal(run.reports[0]?.step, epochs + 1);
        assert.ok((run.reports[0]?.seconds ?? 0) > paused.seconds);
      });
    }

    check('a lower fidelity continued to the full one is as if asked for at once', async ({ estimator, candidate }) => {
      const whole = await estimator.estimate(candidate, runOf());
      const artifacts = artifactsInMemory();
      const low = await estimator.estimate(candidate, runOf({ artifacts, fidelity: { ...FULL, epochs: 1 } }));
      assert.deepEqual([low.state, low.curve.length], ['complete', 1]);
      assert.ok(low.checkpoint !== undefined);
      const high = await estimator.estimate(candidate, runOf({ artifacts, checkpoint: low.checkpoint }));
      assert.deepEqual(timeless(high), timeless(whole));
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
      await assert.rejects(estimator.estimate(candidate, dying), crash);
      assert.ok(checkpoint !== undefined);
      assert.deepEqual(
        timeless(await estimator.estimate(candidate, runOf({ artifacts, checkpoint }))),
        timeless(whole),
      );
    });

    check('with nothing left to do it is complete at once', async ({ estimator, candidate }) => {
      const artifacts = artifactsInMemory();
      const whole = await estimator.estimate(candidate, runOf({ artifacts }));
      assert.ok(whole.checkpoint !== undefined);
      const run = runOf({ artifacts, checkpoint: whole.checkpoint });
      assert.deepEqual(await estimator.estimate(candidate, run), whole);
      assert.deepEqual(run.reports, []);
    });

    check('stopped it is pruned; an answer to the last epoch changes nothing', async ({ estimator, candidate }) => {
      const stopped = await estimator.estimate(candidate, runOf({ report: async () => 'stop' }));
      assert.deepEqual([stopped.state, stopped.curve.length], ['pruned', 1]);
      const report = async ({ step }: Report) => (step === 3 ? 'stop' : 'continue') as 'stop' | 'continue';
      assert.equal((await estimator.estimate(candidate, runOf({ report }))).state, 'complete');
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
        assert.deepEqual(timeless(await estimator.estimate(candidate, run)), timeless(whole));
        assert.equal(notes.length, 1);
        assert.match(notes[0] ?? '', why);
      }
    });
  });
}

function checkAborted(check: AddRule): void {
  check('aborted it rejects with the reason of the signal', async ({ estimator, candidate }) => {
    const reason = new Error('the worker is told to go');
    const early = runOf({ signal: AbortSignal.abort(reason) });
    await assert.rejects(estimator.estimate(candidate, early), reason);
    assert.deepEqual(early.reports, []);
    const controller = new AbortController();
    const late = runOf({
      signal: controller.signal,
      async report() {
        controller.abort(reason);
        return 'continue';
      },
    });
    await assert.rejects(estimator.estimate(candidate, late), reason);
    assert.equal(late.reports.length, 1);
  });
}

function checkFailing(check: AddRule): void {
  check(
    'a candidate that cannot be evaluated fails with the reason',
    async ({ estimator, failing, reason = /(?:)/ }) => {
      if (failing === undefined) return;
      const run = runOf();
      await assert.rejects(
        estimator.estimate(failing, run),
        (error) => error instanceof TrialFailure && reason.test(error.message),
      );
      assert.deepEqual(run.reports, []);
    },
  );
}

export interface CheckEstimatorOptions {
  /** What it estimates; it should take well under a second. */
  readonly candidate: Candidate;
  /** look (the default): measures a candidate once; training: reports every epoch and resumes from checkpoints. */
  readonly kind?: 'look' | 'training';
  /** A candidate that it cannot evaluate. */
  readonly failing?: Candidate;
}

/**
 * Checks that an estimator keeps the rules that a study relies on: what it reports and returns agree, the same randomness gives the same
 * numbers, an abort rejects with the signal's reason; and, of one that trains, that pausing, continuing and a crash change nothing. Throws
 * Error, with the rule, at the first one that is broken.
 */
export async function checkEstimator(
  estimator: Estimator,
  { candidate, kind = 'look', failing }: CheckEstimatorOptions,
): Promise<void> {
  const setup = async () => ({ estimator, candidate, ...(failing && { failing }) });
  for (const { title, check } of kind === 'look' ? lookRules(setup) : trainingRules(setup)) {
    try {
      await check();
    } catch (error) {
      throw new Error(`the estimator breaks the rule "${title}": ${messageOf(error)}`, { cause: error });
    }
  }
}
