import { z } from 'zod';
import type { Json } from '../common/json.ts';
import { ruleOf } from '../common/rules.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { CONTROL, isTaskKind, TASK_KINDS } from '../task/index.ts';
import type { Agreement } from './agreement.ts';
import { checkSettings, type StudySettings } from './spec.ts';
import { damaged } from './store/errors.ts';

/**
 * What the record of a study holds as its settings: those of the command line, and what its data were, so that a study
 * can be read (and its data be recognized) without them.
 */
export interface StudyPlan {
  readonly settings: StudySettings;
  readonly data: DatasetInfo;
  /** Channels in a block of the engine's layout where the study began, 0 for NCHW: results differ in rounding. */
  readonly block?: number;
  /** How well the study's predictor ranked earlier trials that it was not fitted to. */
  readonly predictorAgreement?: Agreement;
  /** A space that came from a file, as it was when the study began: the file may change or go, and reading a study runs no code. */
  readonly ownSpace?: Json;
  /** The space is code that a program has given (a `SearchSpace` without a tree): the study has only its name, `settings.space`. */
  readonly openSpace?: boolean;
  /** Folders of the earlier studies that it began with, as they were called then. */
  readonly prior?: readonly string[];
  /** SHA-256 of the weights that its trainings start from (`initFrom`). */
  readonly pretrained?: string;
  /** Where the latencies of its candidates were measured: runtime, device, threads. */
  readonly device?: string;
  /** What was measured again of the networks of search trials after the search of a `run`, before they were trained for good. */
  readonly remeasured?: readonly Remeasured[];
  /** What `run` does after the search: `resume` continues where it was interrupted. */
  readonly afterwards?: Afterwards;
}

/** The latency of a network that was measured again. */
export interface Remeasured {
  readonly trial: number;
  readonly ms: number;
  readonly interval: readonly [low: number, high: number];
  /** Whether it keeps the limit; a network that does not counts as failed. */
  readonly kept: boolean;
}

/** The options of `run` for what follows the search: evaluation, export and report. */
export interface Afterwards {
  readonly seeds: number;
  readonly baselines: boolean;
  readonly samples: boolean;
  /** Which network of a Pareto front. */
  readonly choose?: string;
  /** What the time of the whole command goes to. */
  readonly time?: RunTime;
  /** `resume` has given it another time; not stored. */
  readonly isExtended?: true;
}

/** The part of a time plan that what follows needs (`time-plan.ts`); seconds from the beginning of the command. */
export interface RunTime {
  readonly seconds: number;
  readonly searchUntil: number;
  /** Kept for what comes after the final training. */
  readonly baselineSeconds: number;
  readonly closingSeconds: number;
  /** Epochs of the final training at most. */
  readonly mostEpochs: number;
  /** Until a training begins: a process starts and reads the data. Not in studies of earlier versions. */
  readonly startSeconds?: number;
}

const size = z.int().min(1);
const count = z.int().min(0);
const numbers = z.array(z.number());

const shape = z.array(size).min(1).max(3);

/** What is stored of a task of the user's own. */
const ownTaskSchema = z.looseObject({
  metrics: z
    .array(z.looseObject({ metric: z.string(), direction: z.enum(['maximize', 'minimize']), unit: z.string() }))
    .min(1),
  classes: z.boolean(),
  standardized: z.boolean(),
  outputsName: z.looseObject({ one: z.string(), many: z.string() }),
  meaning: z.string(),
  space: z.looseObject({ input: shape, outputs: size, positions: shape.optional(), vocabulary: size.optional() }),
});

const names = z.array(z.string()).exactOptional();

const environmentSchema = z.looseObject({
  description: z.string(),
  action: z.discriminatedUnion('kind', [
    z.looseObject({ kind: z.literal('discrete'), count: size, names }),
    z.looseObject({ kind: z.literal('continuous'), size, low: numbers, high: numbers, names }),
  ]),
  form: z.enum(['actor-critic', 'action-values', 'genome']),
  maxSteps: size,
  success: z.string(),
  fitness: z.string().exactOptional(),
});

/** Loose: readers of data may store more than is needed here. */
const known = z.looseObject({
  name: z.string(),
  kind: z.string(),
  ownTask: ownTaskSchema.optional(),
  environment: environmentSchema.optional(),
  input: shape,
  outputs: size,
  labels: z.array(z.string()),
  range: z.tuple([z.number(), z.number()]).optional(),
  mean: numbers,
  deviation: numbers,
  target: z.looseObject({ mean: numbers, deviation: numbers }).optional(),
  counts: z.looseObject({ train: count, valid: count, test: count }),
  encoding: z
    .looseObject({
      columns: z.array(z.looseObject({ name: z.string(), kind: z.string() })),
      label: z.string(),
    })
    .optional(),
  notes: z.array(z.string()),
});

const dataSchema = known.refine(
  ({ kind, ownTask, environment }) =>
    ownTask !== undefined || (kind === CONTROL ? environment !== undefined : isTaskKind(kind)),
  { path: ['kind'], message: `must be one of ${TASK_KINDS.join(', ')}, or come with what is known of the task` },
);

/** JSON has no NaN. */
const maybe = z.number().nullable();

const planSchema = z.looseObject({
  settings: z.record(z.string(), z.unknown()),
  data: dataSchema,
  block: count.optional(),
  predictorAgreement: z
    .strictObject({
      estimate: z.string(),
      truth: z.string(),
      pairs: count,
      tau: z.number(),
      interval: z.tuple([maybe, maybe]),
    })
    .optional(),
  ownSpace: z.unknown().optional(),
  openSpace: z.boolean().optional(),
  prior: z.array(z.string()).optional(),
  pretrained: z.string().optional(),
  device: z.string().optional(),
  remeasured: z
    .array(
      z.strictObject({ trial: count, ms: z.number(), interval: z.tuple([z.number(), z.number()]), kept: z.boolean() }),
    )
    .optional(),
  afterwards: z
    .strictObject({
      seeds: z.int().min(1).max(1000),
      baselines: z.boolean(),
      samples: z.boolean(),
      choose: z.string().optional(),
      time: z
        .strictObject({
          seconds: z.number(),
          searchUntil: z.number(),
          baselineSeconds: z.number(),
          closingSeconds: z.number(),
          mostEpochs: z.int().min(1),
          startSeconds: z.number().exactOptional(),
        })
        .optional(),
    })
    .optional(),
});

/** The plan that the record of study `dir` holds. Throws UserError, with the place, for anything else. */
export function checkPlan(found: Json, dir: string): StudyPlan {
  const place = `study "${dir}"`;
  const record = withCurrentNames(found);
  checkRecord(record, place);
  // Fields without a rule are kept unchanged.
  return { ...record, settings: checkSettings(record.settings, (name) => `${place}: ${name}`) };
}

/** Records of older versions call the predictor's agreement `foresight`. */
function withCurrentNames(found: Json): unknown {
  if (found === null || typeof found !== 'object' || !('foresight' in found)) return found;
  const { foresight, ...rest } = found;
  return { predictorAgreement: foresight, ...rest };
}

type StoredPlan = Omit<StudyPlan, 'settings'> & { readonly settings: Readonly<Record<string, unknown>> };

function checkRecord(found: unknown, place: string): asserts found is StoredPlan {
  const { error } = planSchema.safeParse(found, { error: ruleOf });
  if (error === undefined) return;
  const [issue] = error.issues;
  const at = issue?.path.map(String).join('.') ?? '';
  throw damaged(`${place}: ${at === '' ? 'its record' : at}`, issue?.message ?? 'is not valid');
}
