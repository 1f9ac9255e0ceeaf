import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Command, Option } from 'commander';
import { benchmarkPresets, NO_EFFECT, TABLE_SETTINGS } from '../app/benchmarks.ts';
import { flagText, shellWord } from '../app/command-line.ts';
import { openEngine } from '../app/engine.ts';
import { budgetOf, limitsOf } from '../app/setup.ts';
import { invalid } from '../common/errors.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import type { Engine } from '../engine/engine.ts';
import type { Comparison } from '../report/compare/data.ts';
import { checkSettings, flagOf, SETTING_NAMES, type SettingName, type StudySettings } from '../study/spec.ts';
import { define, outputOf, type Shell } from './command.ts';
import { parseEstimators, parseStrategies, RANDOM } from './compare/competitors.ts';
import { tellComparison, warningsOf } from './compare/output.ts';
import { isRandom } from './compare/protocol.ts';
import { type Entry, runSearches } from './compare/searches.ts';
import { compareStudies } from './compare/studies.ts';
import { compareOnTable } from './compare/table.ts';
import { addSettings, givenSettings, readSettings } from './flags.ts';
import { Interrupted } from './interrupt.ts';
import { OPEN, openFile } from './open.ts';
import type { Output } from './output.ts';

interface CompareOptions {
  readonly benchmark?: string;
  readonly strategies?: string;
  readonly estimators?: string;
  readonly prior?: readonly string[];
  readonly config?: readonly string[];
  readonly seeds: number;
  readonly evaluate: number;
  readonly out?: string;
  readonly open: boolean;
}

/** `--strategies` stands for these. */
const SETTINGS = SETTING_NAMES.filter((name) => name !== 'strategy' && name !== 'strategyOptions');

/** Models of strategies are trained on the machine. */
const ON_TABLES: readonly SettingName[] = [...TABLE_SETTINGS, 'device', 'threads', 'layout'];

/** `netsmith compare`: { title, objective, budget, axis, reference, significance, warnings, optimum?, competitors, conclusion, files } */
export function addCompare(program: Command, shell: Shell): void {
  const command = define(
    program,
    'compare [studies...]',
    'Compare strategies, estimators or configurations over several seeds, always including random search: on a tabular benchmark, from finished studies, or by running the searches',
    [
      'netsmith compare --benchmark nas-bench-201 --strategies aging-evolution,tpe --seeds 20 --time 12000s',
      'netsmith compare runs/random-0 runs/random-1 runs/tpe-0 runs/tpe-1',
      'netsmith compare --strategies aging-evolution:population=8:sample=4,tpe --seeds 3 --trials 30 --epochs 2 --out runs/mine',
      'netsmith compare --config a.json --config b.json --seeds 3 --out runs/mine',
      'netsmith compare --estimators train,proxies --seeds 3 --time 10m --evaluate 1 --out runs/mine',
      'netsmith compare --strategies tpe,bananas --prior runs/digits-small-cnn-1 --seeds 3 --out runs/mine',
    ],
  )
    .option('--strategies <a,b>', 'strategies, with options after colons: tpe,aging-evolution:population=50:sample=10')
    .option('--estimators <a,b>', 'estimators, with options after colons: train,proxies:batchSize=32')
    .option('--prior <folder...>', 'warm-start every search from the trials of earlier studies of the same space')
    .option('--config <file...>', 'file with settings; repeat the option to compare several files')
    .addOption(
      new Option('--seeds <n>', 'number of searches per competitor, with consecutive seeds that start at --seed')
        .argParser(numberIfItIsOne)
        .default(3),
    )
    .addOption(
      new Option(
        '--evaluate <n>',
        "retrain each search's winner N times from scratch and evaluate it on the test split",
      )
        .argParser(numberIfItIsOne)
        .default(0),
    )
    .option(
      '--out <folder>',
      'folder for the report, the tables and the studies (default: the next free runs/compare-N)',
    )
    .option(...OPEN);
  addSettings(command, SETTINGS).action(
    async (studies: readonly string[], options: CompareOptions, command: Command) => {
      const output = outputOf(command, shell);
      const given = givenSettings(command);
      checkOptions(studies, options, given);
      const out = options.out ?? nextFree();
      const compared =
        options.benchmark !== undefined
          ? await onTable(options.benchmark, options, given, output)
          : studies.length > 0
            ? await compareStudies(studies.map((dir) => ({ dir })))
            : await bySearching(command, options, out, output, shell);
      if (compared === undefined) return;
      const warnings = warningsOf(compared);
      const report = await tellComparison(
        out,
        { ...compared, warnings, command: commandLine(studies, options, given, out) },
        output,
      );
      if (options.open) await openFile(report, output);
    },
  );
}

type Compared = Omit<Comparison, 'command' | 'warnings'>;

function checkOptions(
  studies: readonly string[],
  { benchmark, strategies, estimators, prior, config, seeds, evaluate }: CompareOptions,
  given: Readonly<Record<string, unknown>>,
): void {
  if (!isWhole(seeds, 1, 1000)) throw invalid('--seeds', String(seeds), 'must be a whole number from 1 to 1,000');
  if (!isWhole(evaluate, 0, 1000))
    throw invalid('--evaluate', String(evaluate), 'must be a whole number from 0 to 1,000');
  const named = Object.entries({ strategies, estimators, prior, config, evaluate: evaluate || undefined }).flatMap(
    ([name, value]) => (value === undefined ? [] : [name]),
  );
  if (benchmark !== undefined) {
    const wrong = Object.keys(given).find((name) => !ON_TABLES.includes(name as SettingName));
    if (wrong !== undefined) throw invalid(flagOf(wrong), String(given[wrong]), NO_EFFECT);
    if (studies.length > 0)
      throw invalid('compare', `"${studies[0]}"`, 'takes either studies or --benchmark, not both');
    const [other] = named.filter((name) => name !== 'strategies');
    if (other !== undefined) throw invalid(flagOf(other), 'given with --benchmark', 'cannot be used with --benchmark');
    if (strategies === undefined) throw invalid('--strategies', 'none', 'must name at least one strategy');
  } else if (studies.length > 0) {
    const [wrong] = [...named, ...Object.keys(given)];
    if (wrong !== undefined)
      throw invalid(
        flagOf(wrong),
        'given with studies',
        'cannot be used with finished studies, which have their own settings',
      );
  } else if (strategies === undefined && estimators === undefined && config === undefined) {
    throw invalid('compare', 'nothing to compare', 'name studies, or --strategies, --estimators or --config files');
  } else if (estimators !== undefined) {
    const wrong = ['estimator', 'estimatorOptions'].find((name) => name in given);
    if (wrong !== undefined)
      throw invalid(flagOf(wrong), 'given with --estimators', 'cannot be used with --estimators');
  }
}

async function onTable(
  benchmark: string,
  { strategies = '', seeds }: CompareOptions,
  given: Readonly<Record<string, unknown>>,
  output: Output,
): Promise<Compared> {
  const named = parseStrategies(strategies);
  const settings = checkSettings({ ...benchmarkPresets(given), ...given }, flagOf);
  const opened: Engine[] = [];
  const engine = async () => {
    const [one = await openEngine(settings, 1)] = opened;
    if (opened.length === 0) opened.push(one);
    return one;
  };
  const { seconds, trials } = budgetOf(settings);
  const order = {
    benchmark,
    dataset: settings.data,
    strategies: named,
    seeds: seedsOf(settings, seeds),
    budget: { ...(seconds !== undefined && { seconds }), ...(trials !== undefined && { evaluations: trials }) },
    limits: limitsOf(settings),
  };
  try {
    return await compareOnTable(order, { engine }, output);
  } finally {
    for (const one of opened) await one.dispose();
  }
}

async function bySearching(
  command: Command,
  { strategies, estimators, prior = [], config, seeds, evaluate }: CompareOptions,
  out: string,
  output: Output,
  shell: Shell,
): Promise<Compared | undefined> {
  const entries: Entry[] = [];
  for (const file of config ?? [undefined]) {
    const settings = await readSettings(command, undefined, file);
    const base = file === undefined || (config?.length === 1 && (strategies ?? estimators)) ? '' : nameOfFile(file);
    for (const by of strategies === undefined ? [undefined] : parseStrategies(strategies))
      for (const judge of estimators === undefined ? [undefined] : parseEstimators(estimators))
        entries.push({
          name: [base, by?.name, judge?.name].filter(Boolean).join(' '),
          settings: {
            ...settings,
            ...(by && { strategy: by.strategy, strategyOptions: by.options }),
            ...(judge && { estimator: judge.estimator, estimatorOptions: judge.options }),
          },
        });
  }
  const [first] = entries;
  if (first === undefined) return undefined;
  const random: Entry = {
    name: entries.some(({ name }) => name === RANDOM.name) ? 'random in full' : RANDOM.name,
    settings: {
      ...first.settings,
      ...{ strategy: RANDOM.strategy, strategyOptions: {}, stopping: 'none', stoppingOptions: {} },
    },
  };
  const all = entries.some(({ settings }) => isRandom(settings)) ? entries : [random, ...entries];
  const dirs = await runSearches({ entries: all, seeds: seedsOf(first.settings, seeds), prior, evaluate, out }, output);
  if (dirs instanceof Interrupted) {
    output.note(`Continue with the same command and --out ${shellWord(out)}; finished searches are not repeated.`);
    shell.exitCode = dirs.exitCode;
    return undefined;
  }
  return compareStudies(dirs);
}

function seedsOf({ seed }: Pick<StudySettings, 'seed'>, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => seed + i);
}

/** `settings/a.json` -> `a` */
function nameOfFile(file: string): string {
  return basename(file).replace(/\.[a-z.]+$/, '');
}

function nextFree(): string {
  for (let n = 1; ; n++) {
    const dir = join('runs', `compare-${n}`);
    if (!existsSync(dir)) return dir;
  }
}

/** What was typed, with the folder that was chosen. */
function commandLine(
  studies: readonly string[],
  { strategies, estimators, prior = [], config = [], seeds, evaluate }: CompareOptions,
  given: Readonly<Record<string, unknown>>,
  out: string,
): string {
  const words = [
    ...studies.map(shellWord),
    ...(strategies === undefined ? [] : [flagText('strategies', strategies)]),
    ...(estimators === undefined ? [] : [flagText('estimators', estimators)]),
    ...prior.map((dir) => flagText('prior', dir)),
    ...config.map((file) => flagText('config', file)),
    ...(studies.length > 0 ? [] : [flagText('seeds', seeds)]),
    ...(evaluate === 0 ? [] : [flagText('evaluate', evaluate)]),
    ...Object.entries(given).map(([name, value]) => flagText(name, value)),
    flagText('out', out),
  ];
  return ['netsmith compare', ...words].join(' ');
}
