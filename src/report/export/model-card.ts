import type { Metrics } from '../../common/metrics.ts';
import { withoutFolders } from '../../common/paths.ts';
import { printable } from '../../common/text.ts';
import type { ColumnEncoding, DatasetInfo } from '../../data/dataset.ts';
import { describeDecoding } from '../../data/image-decoding.ts';
import { featureCount } from '../../data/table.ts';
import type { Costs } from '../../network/network.ts';
import { taskOf } from '../../task/index.ts';
import type { TensorSpec } from '../../task/spec.ts';
import type { TaskDefinition } from '../../task/task.ts';
import { deviation, mean, showBytes, showCount, showDeviation, showLarge, showMetric } from '../numbers.ts';
import { browserPage } from './browser-page.ts';
import { INPUT_NAME, type ModelTensors } from './metadata.ts';

export interface ModelCardData {
  /** File name of the model, beside the card. */
  readonly file: string;
  readonly info: DatasetInfo;
  /** A task of tokens or of the user's own, and the tensors of the exported model (`ModelMetadata`). */
  readonly own?: { readonly task: TaskDefinition; readonly tensors: ModelTensors };
  readonly space: string;
  readonly architecture: string;
  readonly costs: Costs;
  /** Bytes of the file. */
  readonly size: number;
  /** Relative difference to the training engine, and how many samples it was measured on. */
  readonly parity: { readonly parity: number; readonly samples: number };
  /** On validation samples: the search's own figure; empty where it has trained nothing. */
  readonly validation?: Metrics;
  /** On test samples, with the weights in the file. Absent: these have not been tested. */
  readonly testOfFile?: Metrics;
  /** On test samples, one element for each seed with which the architecture was trained. Absent: never evaluated. */
  readonly test?: readonly Metrics[];
  /** What it was trained on and for how long, in a sentence. */
  readonly training: string;
  readonly version: string;
}

/** The model card, Markdown: what the file is, what it was trained on, how good it is, its limits, how to call it. */
export function modelCard(card: ModelCardData): string {
  const { info, costs } = card;
  const task = taskOf(info, card.own?.task);
  return `# Model card: ${line(card.file)}

A ${kindOf(task, info)}, found by neural architecture search with Netsmith ${card.version}.

| | |
|---|---|
| Architecture | ${line(card.architecture)} |
| Space | ${line(card.space)} |
| Parameters | ${showCount(costs.params)} |
| FLOPs (multiply-accumulates, one sample) | ${showLarge(costs.flops)} |
| File | ${showBytes(card.size)} |
${endRows(card, task)}
| Difference to the training engine | ${card.parity.parity.toExponential(1)} of the largest output, over ${card.parity.samples} samples |

## Data

${samplesOf(info)} ${line(withoutFolders(card.training))}

${info.notes.map((note) => `- ${line(withoutFolders(note))}`).join('\n')}

## Metrics

${metricsTable(card)}

${metricsNote(card)}

## Limits

- ${info.environment === undefined ? 'The figures hold for samples like those of the data set above; on other data the model may be confidently wrong.' : 'The figures hold for episodes of this environment; in another one, or on a real system, the policy may fail.'}
${limitOf(task, info)}- Not evaluated for fairness across groups or for robustness to adversarial inputs.

## How to call it

Normalization is part of the model: feed raw values. The metadata of the file (keys \`netsmith.*\`) contains the same information as this card.

${card.own === undefined ? fileCalls(card) : ownCalls(card.file, card.own.tensors, info)}${encodingSection(info)}`;
}

function samplesOf({ name, counts, environment }: DatasetInfo): string {
  if (environment === undefined)
    return `${line(name)}: ${showCount(counts.train)} training, ${showCount(counts.valid)} validation and ${showCount(counts.test)} test samples.`;
  const { maxSteps, success } = environment;
  const parts = `Measured on ${showCount(counts.valid)} validation and ${showCount(counts.test)} test episodes of at most ${showCount(maxSteps)} steps, which no training played.`;
  return `The environment ${line(name)}. ${parts} Success: ${line(success)}.`;
}

function kindOf({ classes, standardized }: TaskDefinition, { name, kind, outputs, environment }: DatasetInfo): string {
  if (environment !== undefined) return `policy for the environment ${line(name)}`;
  if (classes) return `classifier of ${outputs} classes`;
  if (standardized) return `regression of ${outputs === 1 ? 'one target' : `${outputs} targets`}`;
  return `network for the task ${line(kind)}`;
}

function limitOf({ classes, standardized }: TaskDefinition, { outputs }: DatasetInfo): string {
  if (classes)
    return `- Every input gets one of the ${outputs} classes, also one that belongs to none of them. Probabilities are not calibrated.\n`;
  return standardized ? '- Values outside the range of the training targets are extrapolations.\n' : '';
}

/** What the model takes and gives, as rows of the table. */
function endRows({ info, own }: ModelCardData, { classes, meaning, outputsName, spec }: TaskDefinition): string {
  const labels = shorten(info.labels);
  if (own !== undefined) {
    const { inputs, outputs, states } = own.tensors;
    const row =
      (what: string, more: string) =>
      ([name, { dtype, shape, axes }]: [string, TensorSpec]) =>
        `| ${what} \`${name}\` | ${dtype} [${['N', ...shape].join(', ')}], ${more}${axes.join(', ') || 'one value'} |`;
    const rows = [
      ...Object.entries(inputs).map(row('Input', 'raw: ')),
      ...Object.entries(states).map(row('State', `zeros at first, then the output \`next:...\` of the run before: `)),
      ...Object.entries(outputs).map(row('Output', `${meaning}: `)),
    ];
    return [...rows, `| Names | ${line(labels)} |`].join('\n');
  }
  const [output = ''] = Object.keys(spec(info).outputs);
  const { many } = outputsName;
  return `| Input \`${INPUT_NAME}\` | float32 [N, ${info.input.join(', ')}], ${inputMeaning(info)} |
| Output \`${output}\` | float32 [N, ${info.outputs}], ${classes ? 'sums to 1 in each row' : 'in the units of the targets'} |
| ${many[0]?.toUpperCase()}${many.slice(1)} | ${line(labels)} |`;
}

function withNetsmith(file: string, { environment, text }: DatasetInfo): string {
  if (environment !== undefined) return '';
  if (text === undefined)
    return `With Netsmith: \`npx netsmith predict ${file} samples.json --data FILE\`, where FILE is the file of the data set; in a program, \`openPredictor\` with the task.\n\n`;
  const json = file.replace(/\.onnx$/i, '.json');
  if (text.padded !== true)
    return `With Netsmith: \`npx netsmith predict ${file} --prompt "..."\`. How a text becomes tokens is in \`${json}\` (\`preprocessing\`).\n\n`;
  const { kind } = text.tokenizer;
  return `With Netsmith: \`npx netsmith predict ${file} --text "..."\`, or with text files or a table in place of \`--text\`.

A text becomes ${kind === 'words' ? 'words' : kind === 'bpe' ? 'byte pairs' : kind}; a token is its number in \`preprocessing.tokenizer\` of \`${json}\`, plus 1. 0 fills the rest of the input, and what is longer is cut.\n\n`;
}

/** How a model of named tensors is called. */
function ownCalls(file: string, { inputs, outputs, states }: ModelTensors, info: DatasetInfo): string {
  const feeds = Object.entries({ ...inputs, ...states }).map(
    ([name, { shape, dtype }]) => `    "${name}": np.zeros((1, ${[...shape, ''].join(', ')}), np.${dtype}),`,
  );
  return `${withNetsmith(file, info)}Python:

\`\`\`python
import numpy as np, onnxruntime as ort

session = ort.InferenceSession("${file}")
feeds = {
${feeds.join('\n')}
}
print(session.run(${JSON.stringify(Object.keys(outputs))}, feeds))
\`\`\`
`;
}

function fileCalls({ file, info }: ModelCardData): string {
  const [output = ''] = Object.keys(taskOf(info).spec(info).outputs);
  return `With Netsmith: \`npx netsmith predict ${file} ${info.encoding === undefined ? 'image.png' : 'rows.csv'}\`

Node:

\`\`\`js
import * as ort from 'onnxruntime-node';

const session = await ort.InferenceSession.create('${file}');
const data = new Float32Array(${info.input.join(' * ')}); // ${rawValues(info)}
const { ${output} } = await session.run({ ${INPUT_NAME}: new ort.Tensor('float32', data, [1, ${info.input.join(', ')}]) });
console.log(${output}.data);
\`\`\`

Browser: this page, served from the folder of \`${file}\` and \`${file.replace(/\.onnx$/i, '')}.json\` (which says the same as this card, for programs):

\`\`\`html
${browserPage(info, info.encoding !== undefined, file)}
\`\`\`

Python:

\`\`\`python
import numpy as np, onnxruntime as ort

session = ort.InferenceSession("${file}")
x = np.zeros((1, ${info.input.join(', ')}), np.float32)  # ${rawValues(info)}
print(session.run(["${output}"], {"${INPUT_NAME}": x})[0])
\`\`\`
`;
}

function metricsTable({ validation = {}, testOfFile, test = [] }: ModelCardData): string {
  const names = [...new Set([validation, testOfFile ?? {}, ...test].flatMap((metrics) => Object.keys(metrics)))];
  if (names.length === 0) return 'None were measured.';
  // With one training, the mean is the file's own value.
  const several = test.length > 1;
  const rows = names.map((name) => {
    const values = test.map((metrics) => metrics[name]).filter((value) => value !== undefined);
    const own = testOfFile === undefined ? 'not measured' : showMetric(name, testOfFile[name]);
    const all = `${showMetric(name, mean(values))} ± ${showDeviation(name, deviation(values))}`;
    const cells = [line(name), showMetric(name, validation[name]), own];
    return [...cells, ...(several ? [values.length > 1 ? all : '–'] : [])];
  });
  const head = ['Metric', 'Validation', 'Test, this file', ...(several ? [`Test, mean of ${test.length} seeds`] : [])];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function metricsNote({ validation = {}, testOfFile, test }: ModelCardData): string {
  const notes: string[] = [];
  if (testOfFile === undefined)
    notes.push('The weights in this file have not been tested (`netsmith evaluate` tests weights and keeps them).');
  if (test !== undefined && test.length > 1)
    notes.push(
      `The same architecture was trained ${test.length} times with different seeds; ±: standard deviation over seeds.${testOfFile === undefined ? '' : ' This file has the weights of one of these trainings.'}`,
    );
  if (testOfFile !== undefined || test !== undefined) notes.push('The test split was opened only after the search.');
  if (Object.keys(validation).length > 0)
    notes.push('The validation value was used to select the architecture, so it is optimistic.');
  return notes.join(' ');
}

function inputMeaning(info: DatasetInfo): string {
  const range = info.range === undefined ? 'raw values' : `raw values from ${info.range[0]} to ${info.range[1]}`;
  const files = info.decoding === undefined ? '' : `; image files are ${describeDecoding(info.decoding)}`;
  return info.input.length === 3 ? `NCHW, ${range}${files}` : `${range}, one per feature`;
}

function rawValues(info: DatasetInfo): string {
  if (info.input.length !== 3) return 'one value per feature, in order';
  const planes = info.input[0] === 3 ? 'red, then green, then blue' : 'gray';
  return `${planes}, row by row, from ${info.range?.[0] ?? 0} to ${info.range?.[1] ?? 255}`;
}

function meaningOf(column: ColumnEncoding): string {
  switch (column.kind) {
    case 'number': {
      const less = column.offset === undefined ? '' : ` less ${column.offset} (subtract in 64 bits)`;
      const unit = column.unit === undefined ? '' : ` in ${column.unit}`;
      return `the number${unit}${less}; ${column.missing}${less} where it is missing`;
    }
    case 'date': {
      if (column.format === 'time') return `the time as a fraction of a day; ${column.missing} where it is missing`;
      const time = column.timed ? ', then the time as a fraction of the day' : '';
      return `days since 1970-01-01 less ${column.offset}${time}; those of day ${column.missing} where it is missing`;
    }
    case 'category': {
      const names = [
        ...column.categories.map((name) => (name === '' ? '(missing)' : name)),
        ...(column.other ? ['(all others)'] : []),
      ];
      return `1 at the category, else 0: ${shorten(names)}`;
    }
  }
}

function encodingSection({ encoding }: DatasetInfo): string {
  if (encoding === undefined) return '';
  let at = 0;
  const rows = encoding.columns.map((column) => {
    const width = featureCount({ columns: [column] });
    const place = width === 1 ? `${at}` : `${at} to ${at + width - 1}`;
    at += width;
    return `| ${place} | ${line(column.name)} | ${line(meaningOf(column))} |`;
  });
  return `
## Features

| Feature | Column | Value |
|---|---|---|
${rows.join('\n')}
${encoding.labelOffset === undefined ? '' : `\nAdd ${encoding.labelOffset} to the model's output, in 64 bits: it was subtracted from "${line(encoding.label)}" before training.\n`}`;
}

function shorten(names: readonly string[]): string {
  return names.length <= 100 ? names.join(', ') : `${names.slice(0, 100).join(', ')}, and ${names.length - 100} more`;
}

/** Text from outside on one line of Markdown, without effect there. */
function line(text: string): string {
  return printable(text.replace(/\s+/g, ' ')).replace(/[\\`*_<>[\]#|&~]/g, '\\$&');
}
