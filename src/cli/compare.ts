import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { benchmarkPresets } from '../app/benchmarks.ts';
import { flagText, shellWord } from '../app/command-line.ts';
import { checkCounts, nextFree, seedsFrom } from '../app/compare/compare.ts';
import { namedEstimators, namedStrategies } from '../app/compare/competitors.ts';
import { type Compared, type ComparisonResult, resultOf } from '../app/compare/result.ts';
import { type Entry, entriesOf, runSearches } from '../app/compare/searches.ts';
import { compareStudies } from '../app/compare/studies.ts';
import { compareOnTable, notOnTable, ON_TABLES } from '../app/compare/table.ts';
import { invalid } from '../common/errors.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import type { Significance, Spread } from '../report/compare/analysis.ts';
import { showP } from '../report/compare/verdict.ts';
import { showDeviation, showDifference, showMetric, showSeconds } from '../report/numbers.ts';
import { checkSettings, flagOf, SETTING_NAMES, type SettingName } from '../study/spec.ts';
import { Interrupted, interruptible } from '../terminal/interrupt.ts';
import { OPEN, openFile } from '../terminal/open.ts';
import { type Output, table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';
import { evaluateInView } from './evaluate.ts';
import { addSettings, givenSettings, readSettings } from './flags.ts';
import { searchToItsEnd } from './search.ts';

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

/** All settings except the strategy, which `--strategies` gives. */
const SETTINGS = SETTING_NAMES.filter((name) => name !== 'strategy' && name !== 'strategyOptions');

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
      'netsmith compare --strategies tpe,bananas --prior runs/digits-residual-cnn-1 --seeds 3 --out runs/mine',
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
      const result = await resultOf(compared, commandLine(studies, options, given, out), out);
      for (const warning of result.warnings) output.note(`Warning: ${warning}`);
      output.result(result, comparisonText(result));
      const { report } = result.files ?? {};
      if (options.open && report !== undefined) await openFile(report, output);
    },
  );
}

function checkOptions(
  studies: readonly string[],
  { benchmark, strategies, estimators, prior, config, seeds, evaluate }: CompareOptions,
  given: Readonly<Record<string, unknown>>,
): void {
  checkCounts({ seeds, evaluate });
  const named = Object.entries({ strategies, estimators, prior, config, evaluate: evaluate || undefined }).flatMap(
    ([name, value]) => (value === undefined ? [] : [name]),
  );
  if (benchmark !== undefined) {
    const wrong = Object.keys(given).find((name) => !ON_TABLES.includes(name as SettingName));
    if (wrong !== undefined) throw invalid(flagOf(wrong), String(given[wrong]), notOnTable(wrong));
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

function onTable(
  benchmark: string,
  { strategies = '', seeds }: CompareOptions,
  given: Readonly<Record<string, unknown>>,
  output: Output,
): Promise<Compared> {
  const settings = checkSettings({ ...benchmarkPresets(given), ...given }, flagOf);
  const named = namedStrategies(strategies.split(','));
  return compareOnTable({ ...settings, benchmark }, named, seedsFrom(settings.seed, seeds), output);
}

async function bySearching(
  command: Command,
  { strategies, estimators, prior = [], config, seeds, evaluate }: CompareOptions,
  out: string,
  output: Output,
  shell: Shell,
): Promise<Compared | undefined> {
  const configurations: Entry[] = [];
  for (const file of config ?? [undefined]) {
    const isNamed = file !== undefined && (config?.length !== 1 || (strategies ?? estimators) === undefined);
    configurations.push({
      name: isNamed ? nameOfFile(file) : '',
      settings: await readSettings(command, undefined, file),
    });
  }
  const [{ settings } = { settings: undefined }] = configurations;
  if (settings === undefined) return undefined;
  const entries = entriesOf(
    configurations,
    strategies === undefined ? undefined : namedStrategies(strategies.split(',')),
    estimators === undefined ? undefined : namedEstimators(estimators.split(',')),
  );
  let interrupted: Interrupted | undefined;
  const dirs = await runSearches(
    { entries, seeds: seedsFrom(settings.seed, seeds), prior, evaluate, out },
    {
      async search(dir, store, setup) {
        const end = await searchToItsEnd(dir, store, setup, output);
        if (end.reason === 'interrupted') interrupted = end.interrupted ?? new Interrupted('SIGINT');
        return interrupted === undefined;
      },
      evaluate: (dir, setup, best, options) =>
        interruptible(
          () => output.note('Interrupted. Completed training runs are kept.'),
          (signal) => evaluateInView(dir, setup, best, options, output, signal),
        ),
    },
    output,
  );
  if (dirs !== undefined) return compareStudies(dirs);
  output.note(`Continue with the same command and --out ${shellWord(out)}; finished searches are not repeated.`);
  shell.exitCode = interrupted?.exitCode ?? 130;
  return undefined;
}

/** The competitors as a table, what its columns are, and the conclusion. */
function comparisonText(result: ComparisonResult): string {
  const { objective, budget, reference, optimum, title, competitors, significance, conclusion, files } = result;
  const { metric } = objective;
  const hasTest = competitors.some(({ test }) => test !== undefined);
  const hasValid = competitors.some(({ valid }) => valid !== undefined);
  const spread = (value: Spread | undefined) =>
    value === undefined
      ? '–'
      : `${showMetric(metric, value.mean)}${value.count < 2 ? '' : ` ± ${showDeviation(metric, value.sd)}`}`;
  const p = (value: Significance | undefined) => (value === undefined ? '–' : showP(value.holm));
  const rows = competitors.map((one) => [
    one.name,
    one.seeds.length,
    ...(hasTest ? [spread(one.test), p(one.against?.test)] : []),
    ...(hasValid ? [spread(one.valid), p(one.against?.valid)] : []),
    ...(optimum === undefined ? [] : [one.regret === undefined ? '–' : showDeviation(metric, one.regret.mean)]),
    ...(hasTest && hasValid ? [one.gap === undefined ? '–' : showDifference(metric, one.gap.mean)] : []),
    one.evaluations.mean.toFixed(0),
    showSeconds(one.totalSeconds),
    one.likeness === undefined ? '–' : one.likeness.distance.toFixed(2),
    one.likeness === undefined ? '–' : `${(100 * one.likeness.equal).toFixed(0)} %`,
  ]);
  const head = [
    ...['', 'seeds'],
    ...(hasTest ? [`test ${metric}`, 'p'] : []),
    ...(hasValid ? [`validation ${metric}`, 'p'] : []),
    ...(optimum === undefined ? [] : ['regret']),
    ...(hasTest && hasValid ? ['gap'] : []),
    ...['evaluations', 'computing', 'distance', 'equal'],
  ];
  return [
    `${title}; ${budget}`,
    '',
    table(head, rows),
    '',
    `p: ${significance}, against ${reference}, Holm-corrected.${hasTest && hasValid ? ' gap = validation minus test.' : ''}`,
    'distance = mean number of differing decisions between seeds; equal = share of seed pairs that found the same architecture. See docs/compare.md.',
    '',
    ...(files === undefined ? [] : [`Report   ${files.report}`, `Tables   ${files.runs}, ${files.trajectories}`, '']),
    conclusion,
  ].join('\n');
}

/** `settings/a.json` -> `a` */
function nameOfFile(file: string): string {
  return basename(file).replace(/\.[a-z.]+$/, '');
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
