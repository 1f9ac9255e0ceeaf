/** All baselines of a data set, one after another, within a time limit. */
import { isNetsmithError, messageOf } from '../common/errors.ts';
import type { Metrics } from '../common/metrics.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import type { TaskDefinition } from '../task/task.ts';
import type { Baseline, BaselineTask, FitOptions, FittedBaseline, Rows } from './baseline.ts';
import { baselinesFor } from './index.ts';
import { measureBaseline } from './measure.ts';
import { baselineTask, concatRows, loadRows } from './rows.ts';

/** What became of one baseline: plain JSON. */
export type BaselineRow = {
  readonly name: string;
} & (
  | {
      /** On the validation samples, fitted on the training samples. Empty where there are none. */
      readonly validation: Metrics;
      /** On the test samples, fitted on training and validation samples for as long as was best before. */
      readonly test?: Metrics;
      /** Of fitting, measuring and exporting. */
      readonly seconds: number;
      /** Of the fit that is exported: rounds or iterations. */
      readonly effort?: number;
      /** The ONNX file. */
      readonly exported?: string;
      readonly notes: readonly string[];
    }
  /** `time`: there was too little; a later run may have it. `failed`: an error came out of it; a later run tries again. */
  | { readonly skipped: 'time' | 'unfit' | 'failed'; readonly reason: string }
);

export interface BaselineRun extends FitOptions {
  readonly info: DatasetInfo;
  readonly train: Samples;
  readonly valid: Samples;
  /** The task of a user's own. */
  readonly task?: TaskDefinition;
  /** The test samples, where they may be opened: then each baseline is fitted again, on training and validation samples. */
  readonly test?: Samples;
  /** All that fit the data by default. */
  readonly baselines?: readonly Baseline[];
  /** Rows of an earlier run on the same data: these baselines are not fitted again, unless there was no time or their test is wanted now. */
  readonly earlier?: readonly BaselineRow[];
  onStart?(name: string): void;
  onRow?(row: BaselineRow): void | Promise<void>;
  /** Writes the last fit as a file and returns its path; undefined where it cannot be exported. */
  exporting?(name: string, fitted: FittedBaseline, task: BaselineTask): Promise<string | undefined>;
}

/** When fits end, as shares of a baseline's time: the one on training samples where another follows, and the last. Then it is measured. */
const [FIRST_ENDS, LAST_ENDS] = [0.35, 0.8] as const;

/**
 * Fits and measures the baselines, each within its share of the time that is left, and returns a row for each. One that does not fit
 * the data, has no time, or fails is a row too: what a run has found must not be lost with it. Throws the signal's reason when aborted:
 * rows that `onRow` was given are done.
 */
export async function runBaselines(run: BaselineRun): Promise<readonly BaselineRow[]> {
  const {
    baselines = baselinesFor(run.info),
    earlier = [],
    deadline = Number.POSITIVE_INFINITY,
    now = () => performance.now(),
  } = run;
  const of = baselineTask(run.info, run.task);
  const rows: BaselineRow[] = [];
  let loaded: { readonly train: Rows; readonly valid: Rows | undefined } | undefined;
  for (const [i, baseline] of baselines.entries()) {
    const { name } = baseline;
    const known = earlier.find((row) => row.name === name);
    if (known !== undefined && isDone(known, run)) {
      rows.push(known);
      continue;
    }
    run.signal?.throwIfAborted();
    const reason = of === undefined ? `a task of the kind ${run.info.kind}` : baseline.unfit(of);
    let row: BaselineRow;
    if (of === undefined || reason !== undefined) row = { name, skipped: 'unfit', reason: reason ?? '' };
    else if (now() >= deadline) row = noTime(name);
    else {
      run.onStart?.(name);
      loaded ??= {
        train: await loadRows(of, run.train, run.seed, run.signal),
        valid: run.valid.count === 0 ? undefined : await loadRows(of, run.valid, run.seed, run.signal),
      };
      const share = (deadline - now()) / (baselines.length - i);
      // What one does not take is left for the next.
      const slot = { ...run, now, deadline: deadline === Number.POSITIVE_INFINITY ? undefined : now() + share };
      try {
        row = (await one(baseline, of, loaded, slot)) ?? noTime(name);
      } catch (error) {
        if (isStop(error, run)) throw error;
        row = { name, skipped: 'failed', reason: messageOf(error) };
      }
    }
    rows.push(row);
    await run.onRow?.(row);
  }
  return rows;
}

/** Not a fault of the baseline: data that cannot be read, a folder that cannot be written to, Ctrl-C. */
const isStop = (error: unknown, { signal }: BaselineRun) => isNetsmithError(error) || signal?.aborted === true;

const isDone = (row: BaselineRow, { test }: BaselineRun) =>
  'skipped' in row ? row.skipped === 'unfit' : test === undefined || row.test !== undefined;

const noTime = (name: string): BaselineRow => ({ name, skipped: 'time', reason: 'the time limit came first' });

/** Undefined: it could not be measured within its time. */
async function one(
  baseline: Baseline,
  of: BaselineTask,
  { train, valid }: { readonly train: Rows; readonly valid: Rows | undefined },
  run: BaselineRun & { readonly now: () => number },
): Promise<BaselineRow | undefined> {
  const { name } = baseline;
  const { seed, signal, now, test } = run;
  const [started, end] = [now(), run.deadline ?? Number.POSITIVE_INFINITY];
  const slot = end - started;
  const after = (share: number) => (end === Number.POSITIVE_INFINITY ? end : started + share * slot);
  const options = { seed, signal, now };
  const data = { ...of, train, ...(valid && { valid }) };
  const early = await baseline.fit(data, { ...options, ...until(after(test === undefined ? LAST_ENDS : FIRST_ENDS)) });
  let fitted = early;
  const validation =
    valid === undefined ? undefined : await measureBaseline(of, fitted, run.valid, { ...options, ...until(end) });
  if (valid !== undefined && validation === undefined) return undefined;
  let tested: Metrics | undefined;
  if (test !== undefined) {
    const { effort } = fitted;
    const whole = valid === undefined ? train : concatRows(train, valid);
    if (valid !== undefined)
      fitted = await baseline.fit({ ...of, train: whole }, { ...options, ...until(after(LAST_ENDS)), effort });
    const measured = await measureBaseline(of, fitted, test, { ...options, ...until(end) });
    if (measured === undefined) return undefined;
    tested = measured.metrics;
  }
  let exported: string | undefined;
  let notExported: readonly string[] = [];
  try {
    exported = await run.exporting?.(name, fitted, of);
  } catch (error) {
    if (isStop(error, run)) throw error;
    notExported = [`It is not exported: ${messageOf(error)}`];
  }
  return {
    name,
    validation: validation?.metrics ?? {},
    ...(tested && { test: tested }),
    seconds: (now() - started) / 1000,
    ...(fitted.effort !== undefined && { effort: fitted.effort }),
    ...(exported !== undefined && { exported }),
    notes: [
      ...fitted.notes,
      ...notExported,
      ...(early.stopped || fitted.stopped ? ['The time limit ended it early.'] : []),
    ],
  };
}

const until = (deadline: number) => (deadline === Number.POSITIVE_INFINITY ? {} : { deadline });
