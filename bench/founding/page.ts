/** docs/founding-comparison.md: what was measured, from the rows alone. */
import { joulesOf } from '../../src/device/energy.ts';
import { markdown } from '../engine/tables.ts';
import { figure } from './figure.ts';
import { type Form, formText, RECIPE } from './form.ts';
import { METHODS } from './methods.ts';
import type { Row } from './rows.ts';
import { TABLE_TRIALS } from './steps.ts';
import { METRICS, type Spread, type Summary, spread, summaries } from './summary.ts';

/** What the page says beside the rows. */
export interface PageOptions {
  readonly form: Form;
  /** Of a busy core, for the energy. */
  readonly watts: number;
  readonly machine: string;
  /** Name of the file of the figure, beside the page. */
  readonly figure: string;
  /** Table values of found cells (nas-bench-201), fractions by data set. */
  readonly lookUp?: (text: string) => Readonly<Record<string, number>>;
}

/** Writes the page of one form of the comparison from its rows. Without rows, the page says that nothing was measured. */
export function page(rows: readonly Row[], options: PageOptions): string {
  const found = summaries(METHODS, rows);
  const measured = found.some(({ seeds }) => seeds > 0)
    ? measuredText(found, rows, options)
    : '## Results\n\nThis comparison has not been run yet. `npm run -s bench:founding` writes its results here.';
  return `${wrapped([INTRODUCTION, measured, PROTOCOL, quotedText()].join('\n\n'))}\n`;
}

const WIDTH = 120;

/** Long lines of text are broken between words; tables, links to figures and code stay. */
function wrapped(text: string): string {
  let isCode = false;
  const lines = text.split('\n').flatMap((line) => {
    if (line.startsWith('```')) isCode = !isCode;
    return isCode || line.length <= WIDTH || /^(\||!|#)/.test(line) ? [line] : broken(line);
  });
  return lines.join('\n');
}

function broken(line: string): readonly string[] {
  const lines: string[] = [];
  let now = '';
  for (const word of line.split(' ')) {
    const longer = now === '' ? word : `${now} ${word}`;
    if (longer.length > WIDTH && now.trim() !== '') {
      lines.push(now);
      // What continues an item of a list is indented as its text is.
      now = line.startsWith('- ') || line.startsWith('  ') ? `  ${word}` : word;
    } else now = longer;
  }
  return [...lines, now];
}

const INTRODUCTION = `# The founding comparison

Reinforcement learning (NASNet), shared weights (ENAS), gradients (DARTS and its relatives), evolution, random search and hand-designed networks on CIFAR-10, under one protocol. \`npm run -s bench:founding\` writes this page from its rows.

\`\`\`sh
npm run -s bench:founding -- --short             # the small form, nas-bench-201: about three hours on one core
npm run -s bench:founding -- --short --resume    # continues it
npm run -s bench:founding -- --resume            # the long form, darts: 3 seeds, an hour for each search
npm run -s bench:founding -- --short --page-only # writes the page from existing rows
\`\`\`

The data lie in \`../shared/data\` (\`--shared\`): CIFAR-10 with 20,000 training images, and EuroSAT. The bench needs Linux (\`taskset\`, \`setpriv\`, \`/proc\`). \`--help\` lists all flags. Results of different forms stay apart, also in one file of rows.`;

function measuredText(found: readonly Summary[], rows: readonly Row[], options: PageOptions): string {
  const { form, watts, machine, lookUp } = options;
  const parts = [
    `## Results\n\n${machine}. Form: ${formText(form)}.`,
    'Accuracy, precision, recall and F1 on the test split in %, mean ± standard deviation over seeds. Gap: accuracy on the validation ' +
      'samples less that on the test split, of the same weights, in points. Overlap: share of equal decisions of the found cells, mean ' +
      'over pairs of seeds; compare it with that of `random`. EuroSAT: accuracy on its test split of the same cells trained on it.',
    qualityTable(found),
    `![Accuracy on the test split against the minutes of the search](${options.figure})`,
    `Search: by the clock. Core hours: processor time of all processes of the search, and of the final training. Energy: core hours of both x ` +
      `${watts} W for each core; it is an estimate, not a measurement. Search (MiB): peak memory of all processes of the search. Latency and memory: the exported ONNX file in ONNX Runtime on ` +
      'the CPU, one thread, one image at a time; memory is what the session adds to that of the process.',
    costTable(found, watts),
    savedText(found),
    againText(found),
    ...(lookUp === undefined ? [] : [tableText(rows, lookUp)]),
    ...failures(found),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The figure, an SVG; undefined without a trained network that a search found. */
export function figureOf(rows: readonly Row[]): string | undefined {
  const found = summaries(METHODS, rows);
  const scored = found.flatMap(({ method, test: { accuracy }, searchSeconds }) =>
    accuracy === undefined
      ? []
      : [{ method: method.name, accuracy: accuracy.mean, sd: accuracy.sd, seconds: searchSeconds?.mean ?? 0 }],
  );
  const searched = scored.filter(({ seconds }) => seconds > 0);
  if (searched.length === 0) return undefined;
  return figure(
    searched,
    scored.filter(({ seconds }) => seconds === 0),
  );
}

function qualityTable(found: readonly Summary[]): string {
  return markdown(
    ['method', 'seeds', ...METRICS.map((name) => (name === 'f1' ? 'F1' : name)), 'gap', 'overlap', 'EuroSAT'],
    found.map(({ method, seeds, test, gap, overlap, eurosat }) => [
      ...[method.name, seeds, ...METRICS.map((name) => percent(test[name])), percent(gap)],
      ...[overlap === undefined ? '-' : Number(overlap.toFixed(2)), percent(eurosat)],
    ]),
  );
}

function costTable(found: readonly Summary[], watts: number): string {
  return markdown(
    [
      'method',
      'search (min)',
      'trials',
      'search (MiB)',
      'core hours, search',
      'training',
      'energy (Wh)',
      'parameters',
      'latency (ms)',
      'memory (MiB)',
    ],
    found.map((one) => [
      ...[one.method.name, number(one.searchSeconds, 1, 1 / 60), number(one.trials, 0), number(one.searchMebibytes, 0)],
      ...[number(one.searchCoreHours, 3), number(one.trainCoreHours, 3)],
      energyOf(one, watts)?.toFixed(2) ?? '-',
      ...[number(one.params, 0), number(one.milliseconds, 2), number(one.mebibytes, 0)],
    ]),
  );
}

/** Watt hours of a search and a final training: core hours x watts for each core. Undefined where one of them is not known. */
export function energyOf(
  { method, searchCoreHours, trainCoreHours }: Pick<Summary, 'method' | 'searchCoreHours' | 'trainCoreHours'>,
  watts: number,
): number | undefined {
  const search = method.search === undefined ? 0 : searchCoreHours?.mean;
  const training = trainCoreHours?.mean;
  return search === undefined || training === undefined
    ? undefined
    : joulesOf({ watts, seconds: 3600 * (search + training) }) / 3600;
}

/** The controller in its three forms. */
function savedText(found: readonly Summary[]): string {
  const [plain, ...others] = ['controller', 'controller-median', 'controller-shared'].map((name) =>
    found.find(({ method }) => method.name === name),
  );
  const lines = [plain, ...others].flatMap((one) => {
    if (one === undefined) return [];
    const { method, trials, searchSeconds, test } = one;
    const each = trials && searchSeconds && trials.mean > 0 ? searchSeconds.mean / trials.mean : undefined;
    return [[method.name, method.about, number(trials, 0), each?.toFixed(1) ?? '-', percent(test.accuracy)]];
  });
  if (lines.length < 2) return '';
  return `### What early stopping and shared weights save\n\nThe same controller in the same time: children that it has seen, and seconds of the search for each.\n\n${markdown(
    ['', 'how', 'children', 'seconds each', 'accuracy'],
    lines,
  )}`;
}

/** What was found on CIFAR-10, beside what was found on EuroSAT. */
function againText(found: readonly Summary[]): string {
  const lines = found.flatMap(({ method, eurosatAgain: again }) =>
    again === undefined ? [] : [[method.name, again.carried.count, percent(again.carried), percent(again.searched)]],
  );
  if (lines.length === 0) return '';
  const head = ['method', 'seeds', 'found on CIFAR-10', 'found on EuroSAT'];
  return `### Carried over to EuroSAT, or searched there\n\nAccuracy in % on the test split of EuroSAT of the architecture that a search found on CIFAR-10, and of one that the same search found on EuroSAT in the same minutes; both trained on EuroSAT in the same way.\n\n${markdown(head, lines)}`;
}

function tableText(rows: readonly Row[], lookUp: (text: string) => Readonly<Record<string, number>>): string {
  const cells = rows.flatMap((row) =>
    row.step === 'search' && row.data === 'cifar-10' && row.text !== null ? [{ ...row, text: row.text }] : [],
  );
  const again = rows.flatMap((row) => (row.step === 'table' && row.text !== null ? [{ ...row, text: row.text }] : []));
  const [first] = cells;
  if (first === undefined) return '';
  const sets = Object.keys(lookUp(first.text));
  const methods = [...new Set(cells.map(({ method }) => method))];
  const lines = methods.map((method) => {
    const of = (all: readonly { readonly text: string }[], set: string) =>
      percent(spread(all.map(({ text }) => lookUp(text)[set] ?? Number.NaN)));
    return [
      method,
      ...sets.map((set) =>
        of(
          cells.filter((row) => row.method === method),
          set,
        ),
      ),
      ...sets.slice(1).map((set) =>
        of(
          again.filter((row) => row.method === method && row.data === set),
          set,
        ),
      ),
    ];
  });
  const head = ['method', ...sets, ...sets.slice(1).map((set) => `${set}, searched there`)];
  return `### In the table of NAS-Bench-201\n\nTest accuracy in % after 200 epochs of the cells found here on CIFAR-10; beside it, the best of ${TABLE_TRIALS} trials of the same strategy on the other table.\n\n${markdown(head, lines)}`;
}

function failures(found: readonly Summary[]): readonly string[] {
  const lines = found.flatMap(({ method, reasons }) => reasons.map((reason) => `- ${method.name}, ${reason}`));
  return lines.length === 0 ? [] : [`### Without a result\n\n${lines.join('\n')}`];
}

const PROTOCOL = `## Protocol

- One space and one size for all searches, and the same time for each. Each seed is a search of its own. A one-shot method uses 60 % of the time for its supernet, whose space is in its search form (\`search=true\`; not for methods that sample architectures of \`darts\`, where that form has an operation \`none\`).
- Methods that train children give each of them the same number of epochs.
- The architecture that a search finds is trained from scratch, with the same epochs and settings as that of any other method and as the hand-designed networks, on the same 75 % of the training images. The others are the validation samples, in the search, too. The test split is opened once for each network, after its last epoch. No choice uses it.
- Settings of all trainings, with a cosine schedule: \`${RECIPE}\`.
- A search without a complete trial at its end counts with the architecture that its supernet would derive then.
- Found cells are trained on EuroSAT by the same command, at 32x32. One method of each kind (\`enas\`, \`beta-darts\`, \`aging-evolution\`, \`random\`) also searches there. In \`nas-bench-201\` they are also looked up on CIFAR-100 and ImageNet16-120, and strategies that need no supernet search there again.
- \`--resume\` skips each step that has a row, and continues a search from its study, a supernet from its last epoch. A final training that was stopped starts again.
- The clock ends the searches, so the machine must have no other work. Processor seconds far below the seconds of a row show that it had some.`;

function quotedText(): string {
  const lines = METHODS.flatMap(({ name, quoted }) =>
    quoted === undefined
      ? []
      : [
          [
            name,
            quoted.paper,
            quoted.testError,
            `${quoted.params / 1e6} M`,
            quoted.gpuHours?.toLocaleString('en-US') ?? '-',
          ],
        ],
  );
  return `## What the papers quote

Not measured here, and not comparable with the results above: all 50,000 training images, hundreds of epochs, networks that are far larger, and GPUs. The cells are those that \`netsmith spaces darts\` and \`netsmith spaces nasnet\` list.

${markdown(['method', 'paper', 'test error (quoted)', 'parameters (quoted)', 'GPU hours (quoted, about)'], lines)}

NAS-Bench-201, test accuracy on CIFAR-10 in % (quoted): after a simulated 12,000 s, random search 93.70 ± 0.36, aging evolution 93.92 ± 0.30, REINFORCE 93.85 ± 0.37; DARTS 54.30 (a collapse), GDAS 93.44 to 93.61, ENAS 53.89. The best cell has 94.37.`;
}

function percent(value: Spread | undefined): string {
  if (value === undefined || Number.isNaN(value.mean)) return '-';
  const mean = (100 * value.mean).toFixed(2);
  return value.count < 2 ? mean : `${mean} ± ${(100 * value.sd).toFixed(2)}`;
}

const number = (value: Spread | undefined, digits: number, scale = 1): string =>
  value === undefined
    ? '-'
    : (value.mean * scale).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
