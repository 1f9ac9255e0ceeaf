import { z } from 'zod';
import { unknownName } from '../common/closest.ts';
import { UserError } from '../common/errors.ts';
import { COST_METRICS, DEVICE_METRICS, METRICS } from '../common/metrics.ts';
import { pick } from '../common/records.ts';
import { ruleOf, showLimit } from '../common/rules.ts';
import { shownValue } from '../common/text.ts';
import { TOKEN_KINDS } from '../data/catalog.ts';
import { TARGET_NAMES } from '../device/index.ts';
import { ARCHITECTURE_METHODS, WEIGHT_METHODS } from '../oneshot/names.ts';
import { STRATEGIES } from '../strategy/index.ts';
import { DEFAULT_SETTINGS, SETTING_RULES, type SettingRule, type TrainSettings } from '../train/settings.ts';
import { CONTROL_SETTINGS, checkControlSettings, isOfGenomes, withControlDefaults } from './control-settings.ts';
import { limitValue, type OwnNames, parseBytes, parseDuration, parseMilliseconds, parseTarget } from './quantities.ts';
import { optionValue, say, whole } from './setting-types.ts';

export { GROUPS } from './setting-types.ts';

/**
 * Every setting of a study, once: this schema checks `netsmith.config.ts` / `.json`, its keys in kebab case are the
 * flags of the command line (`flags.ts`), its values are stored with the study, and `netsmith spaces --schema` prints
 * it as JSON Schema. Texts such as `time` stay as they were typed, so that a stored study reads like its command.
 */

const METRIC_NAMES = Object.keys(METRICS);
const OBJECTIVE_NAMES = [...METRIC_NAMES, ...Object.keys(DEVICE_METRICS)];

/** The settings of training, by the rules that the train room gives them. */
type TrainingTypes = { readonly [K in keyof TrainSettings]: z.ZodDefault<z.ZodType<TrainSettings[K]>> };
const training = Object.fromEntries(
  Object.entries(SETTING_RULES).map(([name, rule]) => {
    const type = typeOfRule(rule).default(DEFAULT_SETTINGS[name as keyof TrainSettings]);
    return [name, say(type, 'training', rule.help)];
  }),
) as TrainingTypes;

function typeOfRule(rule: SettingRule): z.ZodType {
  switch (rule.kind) {
    case 'integer':
      return whole(rule.min, rule.max);
    case 'number': {
      const { min, above, below, max } = rule;
      let type = above ? z.number().gt(min, `must be above ${min}`) : z.number().min(min, `must be at least ${min}`);
      if (below !== undefined) type = type.lt(below, `must be below ${below}`);
      if (max !== undefined) type = type.max(max, `must be at most ${showLimit(max)}`);
      return type;
    }
    case 'boolean':
      return z.boolean();
    case 'word':
      return z.enum(rule.words, { error: `must be one of ${rule.words.join(', ')}` });
  }
}

/** A fraction from `least` to 1, which makes trials cheaper. */
const share = (least: number) =>
  z.number().min(least, `must be at least ${least}`).max(1, 'must be at most 1').default(1);

/** Epochs of a supernet, unless the settings say otherwise: those of Liu et al. (2019). */
const SUPERNET_EPOCHS = 50;

/** What may judge a search's candidates. */
export const ESTIMATORS = ['train', 'proxies', 'predictor', ...WEIGHT_METHODS] as const;
/** Besides: a function of the program that uses Netsmith as a library (`optimize(function)`). A loss may be one, too. */
export const FUNCTION = 'function';

const ESTIMATOR_RULE = `must be one of ${ESTIMATORS.join(', ')}, or a .ts or .js file that exports one`;

const OWN_FILE = /\.(ts|js|mts|mjs)$/;

const OWN_NAME = /^[a-zA-Z]\w*$/;

/** Whether scores, measures and metrics of the user's own may have this name. */
export function isOwnName(name: string): boolean {
  return OWN_NAME.test(name);
}
const direction = z.enum(['maximize', 'minimize'], { error: 'must be maximize or minimize' });

/** Values by such names. */
const byOwnName = <T extends z.ZodType>(value: T, isFree: (name: string) => boolean = () => true) =>
  z
    .record(z.string(), value)
    .refine((given) => Object.keys(given).every(isOwnName), 'must have names of letters and digits')
    .refine((given) => Object.keys(given).every(isFree), 'must not have the name of a metric of Netsmith')
    .optional();

const durationType = z
  .string()
  .refine(
    (text) => parseDuration(text) !== undefined,
    'must be a number followed by s, m or h, such as 90s, above 0 and at most 100,000 h',
  );

const scoresType = byOwnName(direction).refine(
  (given) => given === undefined || Object.keys(given).length > 0,
  'must name at least one score',
);
const describedType = byOwnName(
  z.strictObject({ direction, unit: z.string().default('') }),
  (name) => !METRIC_NAMES.includes(name),
);

/** A file of the user's own with code. */
const ownFile = (exports: string) => z.string().regex(OWN_FILE, `must be a .ts or .js file that exports ${exports}`);

const objectiveType = (names: readonly string[]) =>
  say(
    z
      .array(z.enum(names, { error: `must be one of ${names.join(', ')}` }))
      .min(1)
      .refine((given) => new Set(given).size === given.length, 'must name each metric only once')
      .optional(),
    'search',
    'metrics to optimize (default: accuracy; r2 for a regression; return for an environment, fitness of genomes; freerea with proxies)',
  );

const untilType = (own: OwnNames = {}) =>
  say(
    // A study of before has one text, and a configuration may have one.
    z.preprocess(
      (value) => (typeof value === 'string' ? value.split(',') : value),
      z
        .array(
          z
            .string()
            .refine(
              (text) => parseTarget(text, own) !== undefined,
              'must be METRIC=VALUE, such as accuracy=0.97 (at most 1 for metrics that are fractions)',
            ),
        )
        .min(1)
        .refine(
          (texts) => new Set(texts.map((text) => parseTarget(text, own)?.metric)).size === texts.length,
          'names a metric twice',
        )
        .optional(),
    ),
    'search',
    'stop when good enough: when one trial reaches this value, or all of several, e.g. accuracy=0.97,params=20000',
  );

const limitType = ({ measures = {} }: OwnNames = {}) => {
  const names = [...Object.keys(COST_METRICS), ...Object.keys(measures)].join(', ');
  return say(
    z
      .record(z.string(), z.union([z.number(), z.string()]))
      .refine(
        (limits) => Object.entries(limits).every(([name, value]) => limitValue(name, value, measures) !== undefined),
        `must be MEASURE=NUMBER with a measure of ${names}; bytes also as 100KB or 2MB`,
      )
      .optional(),
    'search',
    `only consider networks within these limits of ${names}: params=20000,modelBytes=100KB`,
  );
};

/** The space of a study that names none: the other one is for images. */
export function defaultSpace(given: Readonly<Record<string, unknown>>): string {
  const { data, environment, text } = given;
  if (environment !== undefined) return isOfGenomes(given) ? 'neat' : 'policy';
  if (data === 'text') return 'rnn';
  if (data === 'text-folder' || (data === 'csv' && text !== undefined)) return 'text-cnn';
  return data === 'csv' ? 'residual-mlp' : 'residual-cnn';
}

export const studySchema = z.strictObject({
  data: say(
    z.string().min(1).default('digits'),
    'data',
    'dataset: a name (`netsmith data` lists them), or a .ts or .js file that exports one',
  ),
  dataDir: say(z.string().min(1).optional(), 'data', 'folder with the files of the dataset, or the CSV file'),
  validData: say(
    z.string().min(1).optional(),
    'data',
    'csv: file with the validation rows (default: --valid-share of the rows)',
  ),
  testData: say(
    z.string().min(1).optional(),
    'data',
    'csv: file with the test rows (default: 20 % of the rows are held out)',
  ),
  label: say(z.string().min(1).optional(), 'data', 'csv: name of the label column'),
  regression: say(
    z.boolean().optional(),
    'data',
    'csv: predict the label as a number (default: if it has many different numbers)',
  ),
  imageSize: say(whole(4, 4096).optional(), 'data', 'image-folder: resize images to N x N pixels'),
  imageChannels: say(
    z.union([z.literal(1), z.literal(3)], { error: 'must be 1 or 3' }).optional(),
    'data',
    'image-folder: 1 (gray) or 3 (color)',
  ),
  exclude: say(
    z.array(z.string().min(1, 'must be the path of a file or the name of a column')).min(1).optional(),
    'data',
    'image-folder, text-folder: files to skip, as paths within the folder; csv: columns to skip',
  ),
  task: say(
    z.enum(['rotation'], { error: 'must be rotation' }).optional(),
    'data',
    'images: what to predict in place of labels, which are then not needed: rotation, how an image was turned, for a start by --init-from',
  ),
  text: say(z.string().min(1).optional(), 'data', 'csv: name of the column of texts to classify'),
  tokens: say(
    z.enum(TOKEN_KINDS, { error: `must be one of ${TOKEN_KINDS.join(', ')}` }).optional(),
    'data',
    `texts: what a token is: ${TOKEN_KINDS.join(', ')} (default: characters of a text to continue, words of texts to classify)`,
  ),
  vocabulary: say(
    whole(2, 1_000_000).optional(),
    'data',
    'texts: the most different words or byte pairs (default: 10,000 words, 2,000 byte pairs)',
  ),
  textLength: say(
    whole(1, 65_536).optional(),
    'data',
    'texts: tokens of a sample (default: 64 of a text to continue; of texts to classify, so many that 95 % are whole)',
  ),
  validShare: say(
    z.number().gte(0, 'must be at least 0').lt(1, 'must be below 1').default(0.25),
    'data',
    'fraction of the non-test samples used for validation (0 = none; only for `train`); of a text to continue 0.05 of the whole by default',
  ),
  trainSamples: say(whole(1, 1e9).optional(), 'data', 'limit the number of training samples'),
  validSamples: say(
    whole(0, 1e9).default(0),
    'data',
    'limit the validation samples that trials are measured on (0 = all)',
  ),

  ...CONTROL_SETTINGS,

  space: say(
    z.string().min(1).default(defaultSpace({})),
    'search',
    'search space: a name (`netsmith spaces` lists them), a .ts or .js file that exports one, or a .json file of netsmith scale; for csv, residual-mlp is the default, for a text to continue rnn, for an environment policy',
  ),
  spaceOptions: say(z.record(z.string(), optionValue).default({}), 'search', 'options of the space'),
  strategy: say(
    z.string().min(1).default('random'),
    'search',
    `search strategy: ${[...Object.keys(STRATEGIES), ...ARCHITECTURE_METHODS].join(', ')}, or a .ts or .js file that exports one`,
  ),
  strategyOptions: say(
    z.record(z.string(), optionValue).default({}),
    'search',
    'options of the strategy; prefix options of a wrapped strategy with `inner.`',
  ),
  stopping: say(
    z.enum(['none', 'median', 'curve'], { error: 'must be none, median or curve' }).default('none'),
    'search',
    'early stopping: `median` stops trials below the median of the others, `curve` stops trials whose learning curve is unlikely to beat the best',
  ),
  stoppingOptions: say(z.record(z.string(), optionValue).default({}), 'search', 'options of the stopping rule'),
  benchmark: say(
    z.string().min(1).optional(),
    'search',
    'search a tabular benchmark instead of training (nas-bench-201, or a CSV of NAS-Bench-NLP); --data selects its dataset, and --time counts simulated training time',
  ),
  estimator: say(
    z
      .union([z.enum([...ESTIMATORS, FUNCTION]), z.string().regex(OWN_FILE, ESTIMATOR_RULE)], {
        error: ESTIMATOR_RULE,
      })
      .default('train'),
    'search',
    `how candidates are scored: by training, by zero-cost proxies, by a predictor fitted to the --prior trials, with the weights of a supernet (${WEIGHT_METHODS.join(', ')}), or by a .ts or .js file`,
  ),
  estimatorOptions: say(z.record(z.string(), optionValue).default({}), 'search', 'options of the estimator'),
  supernetEpochs: say(
    whole(1, 100_000).optional(),
    'search',
    `epochs that a one-shot method trains its supernet for (default: ${SUPERNET_EPOCHS})`,
  ),
  supernetSamples: say(
    whole(0, 1e9).optional(),
    'search',
    'training samples in each epoch of the supernet, 0 = all of them (default: all, or with --time as many as fit)',
  ),
  startFrom: say(
    z.enum(['fresh', 'supernet'], { error: 'must be fresh or supernet' }).optional(),
    'search',
    'what the training of an architecture that a one-shot strategy derives starts from: fresh weights, or those of its supernet (default: fresh)',
  ),
  initFrom: say(
    z.string().min(1).optional(),
    'training',
    'folder of an earlier study, of other data: trainings start from the weights of its best network where they fit, and texts are read with its vocabulary',
  ),
  objective: objectiveType(OBJECTIVE_NAMES),
  scores: say(
    scoresType,
    'search',
    'library alone: what the function that judges candidates returns, and the direction of each',
  ),
  measure: say(
    ownFile('measures').optional(),
    'search',
    'your own measures of each candidate: a .ts or .js file that exports them (defineMeasure); --objective, --limit and --until may name them',
  ),
  measures: say(describedType, 'search', 'what a study stores of your own measures: the direction and unit of each'),
  reference: say(
    z.record(z.string(), z.number('must be METRIC=NUMBER for each objective')).optional(),
    'search',
    'several objectives: the reference point of the hypervolume, e.g. accuracy=0.75,latency=99 (default: the worst value found of each)',
  ),
  latencies: say(
    z
      .string()
      .regex(/^.+:[^:]+$/, 'must be FILE:COLUMN')
      .optional(),
    'search',
    'with --benchmark: a CSV with a column `arch` and a column of latencies in ms, as FILE:COLUMN; --objective may name latency',
  ),
  trials: say(
    whole(1, 10_000_000).optional(),
    'search',
    'stop after N trials (default: 12, 200 without training, 3000 of genomes, unless --time or --until is set)',
  ),
  time: say(durationType.optional(), 'search', 'stop after this time, e.g. 90s, 10m, 2h'),
  trialTime: say(
    durationType.optional(),
    'search',
    'train each trial for at most this time: as many epochs as fit, --epochs at most',
  ),
  handDesigned: say(
    z
      .array(z.string().regex(/^[\w-]+$/, 'must be the name of a network'))
      .min(1)
      .optional(),
    'search',
    'hand-designed networks of the space to try first, such as resnet-20,resnet-8, or all',
  ),
  until: untilType(),
  limit: limitType(),
  maxParams: say(whole(1, 1e12).optional(), 'search', 'short for --limit params=N'),
  maxFlops: say(whole(1, 1e15).optional(), 'search', 'short for --limit flops=N'),
  maxDepth: say(whole(0, 1e6).optional(), 'search', 'short for --limit depth=N: layers with weights on one path'),
  require: say(
    z.array(z.string().min(1)).min(1).optional(),
    'search',
    'only architectures that take each of these options of the space: OPTION, or DECISION=OPTION',
  ),
  forbid: say(
    z.array(z.string().min(1)).min(1).optional(),
    'search',
    'only architectures that take none of these options of the space: OPTION, or DECISION=OPTION',
  ),
  fix: say(
    z.record(z.string(), z.union([optionValue, z.array(z.number())])).optional(),
    'search',
    'only architectures with these values of decisions of the space: width1=16,block=basic',
  ),
  prefer: say(
    z
      .array(z.string().regex(/^.+:[^:]+$/, 'must be OPTION:WEIGHT, such as conv:3'))
      .min(1)
      .optional(),
    'search',
    'draw these options more or less often than others, whose weight is 1: OPTION:WEIGHT, or DECISION=OPTION:WEIGHT',
  ),
  confirm: say(whole(0, 10_000).default(0), 'search', 'retrain the top N with a new seed before choosing the best'),
  dataShare: say(
    share(0.0001),
    'search',
    'fraction of the training data used by trials (the final evaluation uses all of it)',
  ),
  resolution: say(
    share(1 / 64).refine(
      (value) => Number.isInteger(1 / value),
      'must be 1 divided by a whole number: 1, 0.5, 0.25, ...',
    ),
    'search',
    'image scale used by trials (1, 0.5, 0.25, ...); the final evaluation uses full size',
  ),
  width: say(
    share(0.01),
    'search',
    'fraction of the channels that trials train (the final evaluation trains full networks)',
  ),
  seed: say(whole(0).default(0), 'search', 'random seed'),

  ...training,
  loss: say(
    z
      .union([z.literal(FUNCTION), ownFile('a loss')], { error: 'must be a .ts or .js file that exports a loss' })
      .optional(),
    'training',
    "your own loss in place of the task's: a .ts or .js file that exports it (defineLoss)",
  ),
  metric: say(
    ownFile('metrics').optional(),
    'training',
    "your own metrics beside the task's: a .ts or .js file that exports them (defineMetric); --objective and --until may name them",
  ),
  metrics: say(describedType, 'training', 'what a study stores of your own metrics: the direction and unit of each'),

  workers: say(
    whole(1, 256).default(1),
    'machine',
    'number of trials that run at the same time, each in its own process',
  ),
  threads: say(whole(1, 256).default(1), 'machine', 'threads per worker'),
  device: say(
    z.enum(['cpu', 'webgpu', 'cuda'], { error: 'must be cpu, webgpu or cuda' }).default('cpu'),
    'machine',
    'device that trains the networks',
  ),
  memory: say(
    z
      .string()
      .refine(
        (text) => parseBytes(text) !== undefined,
        'must be a number followed by MB, GB, MiB or GiB, such as 4GB, and at most 1,000,000 GB',
      )
      .optional(),
    'machine',
    'memory limit for training, shared by all workers, e.g. 4GB (default: 90 % of free memory)',
  ),
  maxLatency: say(
    z
      .string()
      .refine(
        (text) => parseMilliseconds(text) !== undefined,
        'must be a number followed by us, ms or s, such as 5ms, above 0 and at most an hour',
      )
      .optional(),
    'device',
    'only networks that answer within this time on the device, e.g. 5ms, 800us; --objective latency makes it small',
  ),
  maxEnergy: say(
    z.number().gt(0).max(1e9).optional(),
    'device',
    'only networks that take at most this many millijoules for a sample: watts x latency; --objective energy makes it small',
  ),
  deviceWatts: say(
    z.number().gt(0).max(1e6).optional(),
    'device',
    'watts of each busy core, or of another device as a whole, for the energy (default: 10)',
  ),
  deviceTarget: say(
    z.enum(TARGET_NAMES, { error: `must be one of ${TARGET_NAMES.join(', ')}` }).optional(),
    'device',
    'where latencies are measured: onnxruntime-node on the CPU or by WebGPU, Chromium, or a command of your own (default: node)',
  ),
  deviceCommand: say(
    z.string().includes('{model}', { error: 'must have {model} where the path of the ONNX file belongs' }).optional(),
    'device',
    'command that times an ONNX file on your device and prints milliseconds: "ssh board ./time.sh {model}"',
  ),
  deviceThreads: say(whole(1, 256).optional(), 'device', 'threads that a network runs with on the device (default: 1)'),
  deviceBatch: say(
    whole(1, 65_536).optional(),
    'device',
    'samples in a measured run, whose whole time counts (default: 1)',
  ),
  deviceTimeout: say(
    durationType.optional(),
    'device',
    'a run, or a command, that takes longer has hung: 30s, 5m (default: 2m)',
  ),
  latencyTable: say(
    z.string().min(1).optional(),
    'device',
    'look latencies up in this file of netsmith profile in place of measuring',
  ),
  layout: say(
    z.enum(['auto', 'portable'], { error: 'must be auto or portable' }).default('auto'),
    'machine',
    'tensor memory layout: `auto` (fastest on this CPU) or `portable` (same results on every CPU); they differ in rounding',
  ),
});

/** What a study was asked to be; plain JSON, stored with it. */
export type StudySettings = z.infer<typeof studySchema>;
export type SettingName = keyof StudySettings;

/** The names of the settings of training: those of `TrainSettings`. */
export const TRAINING_NAMES = Object.keys(training) as readonly (keyof TrainSettings)[];

/** The part of the settings that training takes. */
export function trainSettings(settings: StudySettings): TrainSettings {
  return pick(settings, TRAINING_NAMES);
}

/** The default number of trials of a search, by its estimator; a supernet that finds an architecture gives one. */
export const DEFAULT_TRIALS: Readonly<Record<string, number>> = {
  train: 12,
  proxies: 200,
  predictor: 200,
  function: 40,
};

/** Of a search over genomes, which are only played: a generation of NEAT has 150. */
export const GENOME_TRIALS = 3000;

const DEFAULTS: Readonly<Record<string, unknown>> = studySchema.parse({});

const ownSchema = studySchema.pick({ scores: true, measures: true, metrics: true }).strip();

/** The schema with the names that the study alone has: its scores, measures and metrics. */
function schemaFor(own: OwnNames): z.ZodType<StudySettings> {
  if (Object.values(own).every((names) => names === undefined)) return studySchema;
  return studySchema.extend({
    objective: objectiveType([...new Set([...OBJECTIVE_NAMES, ...Object.keys({ ...own.measures, ...own.metrics })])]),
    until: untilType(own),
    limit: limitType(own),
  });
}

/**
 * Checks settings as they come from flags, a file or a stored study, and fills in the defaults. `place` turns a
 * setting's name into what the user wrote: `--trials`, or `netsmith.config.json: trials`.
 */
export function checkSettings(raw: unknown, place: (setting: string) => string): StudySettings {
  const own = ownSchema.safeParse(raw, { error: ruleOf });
  const result = own.success ? schemaFor(own.data).safeParse(withSpace(raw), { error: ruleOf }) : own;
  if (result.success) {
    checkControlSettings(result.data, DEFAULTS, TRAINING_NAMES, place);
    return result.data;
  }
  const issue = result.error.issues[0];
  if (issue === undefined) throw new UserError('the settings are not valid');
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    // The place without the name, which comes again.
    const where = place(key).slice(0, place(key).lastIndexOf(key)).replace(/: "?$/, '');
    throw unknownName(`${where}: unknown setting`, key, SETTING_NAMES);
  }
  const name = String(issue.path[0] ?? '');
  // What is missing has no value: then the value that lacks it is shown.
  const value = issue.path.reduce<unknown>(
    (at, key) => (at !== null && typeof at === 'object' && Reflect.has(at, key) ? Reflect.get(at, key) : at),
    raw,
  );
  if (name === '') throw new UserError(`${place('settings')}: ${shownValue(raw)}; ${issue.message}`);
  throw new UserError(`${place(name)}: ${shownValue(value)}; ${issue.message}`);
}

/** Of a text to continue, the share of the whole. */
const TEXT_VALID_SHARE = 0.05;

/** With the defaults that depend on other settings. What is no object is refused as it is. */
function withSpace(found: unknown): unknown {
  const raw: unknown =
    found !== null && typeof found === 'object' && !Array.isArray(found) ? withControlDefaults({ ...found }) : found;
  if (raw === null || typeof raw !== 'object' || Array.isArray(raw) || !('data' in raw)) return raw;
  const { space = defaultSpace({ ...raw }), validShare } = { space: undefined, validShare: undefined, ...raw };
  return { ...raw, space, ...(validShare === undefined && raw.data === 'text' && { validShare: TEXT_VALID_SHARE }) };
}

/** Whether trials are trainings, so that their time has parts and what is cheaper can be held against them. */
export function trainsTrials(
  settings: Pick<StudySettings, 'estimator' | 'benchmark' | 'environment'> & Partial<Pick<StudySettings, 'space'>>,
): boolean {
  return settings.estimator === 'train' && settings.benchmark === undefined && !isOfGenomes(settings);
}

/** The epochs of a one-shot method's supernet. */
export const supernetEpochsOf = ({ supernetEpochs = SUPERNET_EPOCHS }: Pick<StudySettings, 'supernetEpochs'>): number =>
  supernetEpochs;

/** Settings that no command has a flag for: what is stored of code of the user's own. */
export const WITHOUT_FLAG: readonly SettingName[] = ['scores', 'measures', 'metrics'];

export const SETTING_NAMES = Object.keys(studySchema.shape) as readonly SettingName[];

/** `learningRate` -> `--learning-rate` */
export function flagOf(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Whether `--data`, `--space`, `--strategy` or `--estimator` names a file of the user's own. */
export function isOwnFile(name: string): boolean {
  return OWN_FILE.test(name);
}

/** Whether `--space` names a file that describes a space as plain data. */
export function isSpaceData(name: string): boolean {
  return name.endsWith('.json');
}
