import { z } from 'zod';
import { deepFreeze, type Json, parseJson } from '../../common/json.ts';
import { ruleOf } from '../../common/rules.ts';
import type { Report } from '../../estimate/estimator.ts';
import type { Architecture } from '../../space/space.ts';
import { isObject } from '../../space/tree/fields.ts';
import { damaged } from './errors.ts';
import type { EarlierRow, ReportRow, TrialRow } from './schema.ts';
import { type EarlierTrial, PURPOSES, type Trial, type TrialKey } from './store.ts';

/** Trials to rows and back. What is read is checked: a study may have been damaged, or made to do harm. */

const count = z.int().min(0);
/** Milliseconds since 1970 that a Date can hold. */
const moment = z.int().min(0).max(8.64e15);
const seconds = z.number().min(0);
const metrics = z.record(z.string(), z.number());
/** An architecture of any space, read as JSON. The space checks its content. */
const architecture = z.custom<Architecture>(isObject, 'must be an object');
const spent = z.strictObject({ compile: z.number(), train: z.number(), valid: z.number(), idle: z.number() });
const start = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fresh') }),
  z.strictObject({ kind: z.literal('continue'), trial: count }),
  z.strictObject({ kind: z.literal('inherit'), trial: count }),
]);
const real = z.number();
const shares = z.record(z.string(), z.array(real));
const guards = z.strictObject({
  parameterFree: real.exactOptional(),
  operations: z.strictObject({ none: count, skip: count, pool: count, depthwise: count, other: count }).exactOptional(),
  most: z.strictObject({ operation: z.string(), edges: count, of: count }).exactOptional(),
  entropy: real.exactOptional(),
  skipWeight: real.exactOptional(),
  isSampled: z.literal(true).exactOptional(),
  cells: z
    .array(
      z.strictObject({
        ...{ edges: count, of: count, skips: count, depth: count, width: count },
        shape: z.enum(['shallow', 'over-connected']).exactOptional(),
      }),
    )
    .exactOptional(),
  gap: z.strictObject({ metric: z.string(), mixture: real, genotype: real, samples: count }).exactOptional(),
  eigenvalue: real.exactOptional(),
  effectiveRank: z.strictObject({ value: real, of: count }).exactOptional(),
  interference: z.strictObject({ pairs: count, change: real, magnitude: real }).exactOptional(),
});
/** The column `mixture`: what a supernet reports besides metrics. */
const supernet = z.strictObject({
  weights: shares.exactOptional(),
  edges: shares.exactOptional(),
  stage: count.exactOptional(),
  costs: z.record(z.string(), real).exactOptional(),
  genotype: architecture.exactOptional(),
  guards: guards.exactOptional(),
});
const purpose = z.enum(PURPOSES);
// It names a file.
const artifact = z.string().regex(/^[0-9a-f]{64}$/);
const artifacts = z.record(z.string().regex(/^[a-z]+$/), artifact);
const final = z.strictObject({
  time: z.strictObject({ seconds: z.number(), mostEpochs: z.int().min(1) }).exactOptional(),
  id: z.string().regex(/^[0-9a-f]{32}$/),
  epochs: count.min(1),
  repetition: count,
  baseline: z.string().exactOptional(),
});

const trialSchema = z.object({
  purpose,
  trial: count,
  repeats: count.nullable(),
  repeat_index: count.nullable(),
  state: z.enum(['waiting', 'running', 'complete', 'paused', 'pruned', 'failed']),
  architecture: z.string(),
  fidelity: count,
  start: z.string(),
  origin: z.enum(['asked', 'person', 'earlier study']),
  metrics: z.string(),
  costs: z.string(),
  seconds,
  started_at: moment.nullable(),
  ended_at: moment.nullable(),
  checkpoint: artifact.nullable(),
  artifacts: z.string().nullable(),
  final: z.string().nullable(),
  attempts: count,
  fence: count,
  reason: z.string().nullable(),
});

const reportSchema = z.object({
  purpose,
  trial: count,
  step: count,
  metrics: z.string(),
  seconds,
  spent: z.string().nullable(),
  mixture: z.string().nullable(),
});

const earlierSchema = z.object({
  position: count,
  study: z.string(),
  trial: count,
  architecture: z.string(),
  metrics: z.string(),
  costs: z.string(),
  seconds,
});

/** The value, if the schema takes it; throws UserError, at `place`, otherwise. */
export function checked<T>(schema: z.ZodType<T>, value: unknown, place: string): T {
  const result = schema.safeParse(value, { error: ruleOf });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  throw damaged(place, `${at === '' ? 'a value' : at} is not valid (it ${issue?.message ?? 'must keep its rule'})`);
}

export function trialRow(trial: Trial): Omit<TrialRow, 'checksum'> {
  return {
    purpose: trial.purpose,
    trial: trial.trial,
    repeats: trial.repeats ?? null,
    repeat_index: trial.repeatIndex ?? null,
    state: trial.state,
    architecture: JSON.stringify(trial.architecture),
    fidelity: trial.fidelity,
    start: JSON.stringify(trial.start),
    origin: trial.origin,
    metrics: JSON.stringify(trial.metrics),
    costs: JSON.stringify(trial.costs),
    seconds: trial.seconds,
    started_at: trial.startedAt ?? null,
    ended_at: trial.endedAt ?? null,
    checkpoint: trial.checkpoint ?? null,
    artifacts: trial.artifacts === undefined ? null : JSON.stringify(trial.artifacts),
    final: trial.final === undefined ? null : JSON.stringify(trial.final),
    attempts: trial.attempts,
    fence: trial.fence,
    reason: trial.reason ?? null,
  };
}

/** `place` begins the errors. */
export function trialOf(found: object, curve: readonly Report[], place: string): Trial {
  const row = checked(trialSchema, found, place);
  const json = (column: 'architecture' | 'start' | 'metrics' | 'costs') =>
    parseJson(row[column], `${place}: ${column}`);
  const optional = <T>(column: 'artifacts' | 'final', schema: z.ZodType<T>): T | undefined => {
    const text = row[column];
    return text === null ? undefined : checked(schema, parseJson(text, `${place}: ${column}`), `${place}: ${column}`);
  };
  const [left, training] = [optional('artifacts', artifacts), optional('final', final)];
  if ((row.purpose === 'evaluate') !== (training !== undefined))
    throw damaged(place, training === undefined ? 'a final training without its settings' : 'it is no final training');
  const began = checked(start, json('start'), `${place}: start`);
  if (row.purpose === 'search' && began.kind !== 'fresh' && began.trial >= row.trial)
    throw damaged(place, `it continues trial ${began.trial}, which is not an earlier one`);
  return deepFreeze({
    purpose: row.purpose,
    trial: row.trial,
    ...(row.repeats === null ? {} : { repeats: row.repeats }),
    ...(row.repeat_index === null ? {} : { repeatIndex: row.repeat_index }),
    state: row.state,
    architecture: checked(architecture, json('architecture'), `${place}: architecture`),
    fidelity: row.fidelity,
    start: began,
    origin: row.origin,
    metrics: checked(metrics, json('metrics'), `${place}: metrics`),
    costs: checked(metrics, json('costs'), `${place}: costs`),
    curve,
    seconds: row.seconds,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
    ...(row.checkpoint === null ? {} : { checkpoint: row.checkpoint }),
    ...(left && { artifacts: left }),
    ...(training && { final: training }),
    attempts: row.attempts,
    fence: row.fence,
    ...(row.reason === null ? {} : { reason: row.reason }),
  });
}

export function reportRow({ purpose, trial }: TrialKey, report: Report): ReportRow {
  return {
    purpose,
    trial,
    step: report.step,
    metrics: JSON.stringify(report.metrics),
    seconds: report.seconds,
    spent: report.spent === undefined ? null : JSON.stringify(report.spent),
    mixture:
      report.mixture === undefined && report.guards === undefined
        ? null
        : // In the schema's order of names: read and written again it is the same text.
          JSON.stringify(supernet.parse({ ...report.mixture, ...(report.guards && { guards: report.guards }) })),
  };
}

export function reportOf(found: object, place: string): Report {
  const row = checked(reportSchema, found, `${place}: curve`);
  return {
    step: row.step,
    metrics: checked(metrics, parseJson(row.metrics, `${place}: curve`), `${place}: curve`),
    seconds: row.seconds,
    ...(row.spent !== null && { spent: checked(spent, parseJson(row.spent, `${place}: curve`), `${place}: curve`) }),
    ...(row.mixture !== null && supernetOf(row.mixture, `${place}: curve`)),
  };
}

function supernetOf(text: string, place: string): Pick<Report, 'mixture' | 'guards'> {
  const { guards: found, weights, genotype, ...others } = checked(supernet, parseJson(text, place), place);
  return {
    ...(weights && genotype && { mixture: { weights, ...others, genotype } }),
    ...(found && { guards: found }),
  };
}

export function earlierRow(
  { study, trial, architecture, metrics, costs, seconds }: EarlierTrial,
  position: number,
): Omit<EarlierRow, 'checksum'> {
  return {
    ...{ position, study, trial, seconds },
    architecture: JSON.stringify(architecture),
    metrics: JSON.stringify(metrics),
    costs: JSON.stringify(costs),
  };
}

export function earlierOf(found: object, place: string): EarlierTrial {
  const row = checked(earlierSchema, found, place);
  const json = (column: 'architecture' | 'metrics' | 'costs') => parseJson(row[column], `${place}: ${column}`);
  return deepFreeze({
    ...{ study: row.study, trial: row.trial, seconds: row.seconds },
    architecture: checked(architecture, json('architecture'), `${place}: architecture`),
    metrics: checked(metrics, json('metrics'), `${place}: metrics`),
    costs: checked(metrics, json('costs'), `${place}: costs`),
  });
}

const studySchema = z.object({
  name: z.string(),
  created_at: moment,
  settings: z.string(),
  earlier: count,
});

/** The study's record, as its row has it. */
export function recordOf(found: object, place: string) {
  const { name, created_at, settings, earlier } = checked(studySchema, found, place);
  return { name, createdAt: created_at, settings: parseJson(settings, `${place}: settings`), earlier };
}

const strategySchema = z.object({ revision: count, state: z.string() });

/** A strategy's tree of what it has tried may be deep. */
const DEEPEST_STATE = 2000;

export function strategyOf(found: object, place: string): { readonly revision: number; readonly state: Json } {
  const { revision, state } = checked(strategySchema, found, place);
  return { revision, state: parseJson(state, `${place}: state`, DEEPEST_STATE) };
}

const progressSchema = z.object({
  search_trials: count,
  confirm_trials: count,
  supernet_trials: count,
  evaluate_trials: count,
  search_seconds: seconds,
  worker_seconds: seconds,
});

export function progressOf(found: object, place: string): z.infer<typeof progressSchema> {
  return checked(progressSchema, found, place);
}
