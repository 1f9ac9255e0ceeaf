import { resolve } from 'node:path';
import type { Command } from 'commander';
import { openEngine } from '../app/engine.ts';
import { ownDataset } from '../app/own-exports.ts';
import { invalid } from '../common/errors.ts';
import { numberIfItIsOne } from '../common/numbers.ts';
import { printable } from '../common/text.ts';
import type { DatasetDefinition } from '../data/own.ts';
import type { Engine } from '../engine/engine.ts';
import { type GenerateOptions, generateText } from '../report/generate.ts';
import { openPredictor, type Prediction, type Predictor, type TextPrediction } from '../report/predict.node.ts';
import { flagOf } from '../study/spec.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/**
 * `netsmith predict MODEL FILE...`: [{ file, class, probabilities }], of a CSV's rows also `row`; of a regression `values`; of what
 * has no answer `error`. Texts of `--text` have `text` in the place of `file`. The exit code is 1 where some have none, 2 where all have none. With `--prompt`: { prompt, text, unknown }.
 */
export function addPredict(program: Command, shell: Shell): void {
  define(
    program,
    'predict <model> [files...]',
    'Run an exported model on images, texts, the rows of CSV files, or values in JSON, or continue a text with it',
    [
      'netsmith predict runs/photos-residual-cnn-1/best/model.onnx cat.jpg dog.png',
      'netsmith predict model.onnx photos',
      'netsmith predict model.onnx new-customers.csv --json',
      'netsmith predict reviews.onnx --text "Great food" --text "Never again"',
      'netsmith predict model.onnx sentences.json --data ./sentences.ts',
      'netsmith predict book.onnx --prompt "It was a" --length 300 --temperature 0.8',
    ],
  )
    .option('--text <text>', 'a text to classify (several: --text A --text B)', collected)
    .option('--prompt <text>', 'language model: the text to continue')
    .option('--length <n>', 'language model: tokens to add (default: 200)', numberIfItIsOne)
    .option(
      '--temperature <x>',
      'language model: below 1 likely tokens are likelier still; 0 takes the likeliest (default: 1)',
      numberIfItIsOne,
    )
    .option('--top-k <n>', 'language model: draw from the N likeliest tokens only (default: all)', numberIfItIsOne)
    .option('--seed <n>', 'language model: of what is drawn (default: 1)', numberIfItIsOne)
    .option('--data <file>', 'the file of your own data set, for a model of a task of your own')
    .addHelpText(
      'after',
      'A file can also be a folder (searched recursively) or a pattern such as "photos/*.jpg".\nA JSON file holds one sample, or a list of them: an object with the values of each input.\n',
    )
    .action(async (model: string, files: readonly string[], options: PredictOptions, command: Command) => {
      const output = outputOf(command, shell);
      const { data, text: texts, prompt, temperature, topK, seed, length } = options;
      checkAsked(files, options);
      const own = data === undefined ? undefined : await ownDataset(resolve(data));
      const engine = await openEngine({ device: 'cpu', threads: 1, layout: 'auto' }, 1);
      const predictor = await predictorOf(engine, model, own).catch(async (error: unknown) => {
        await engine.dispose();
        throw error;
      });
      if (prompt !== undefined) {
        try {
          const found = await generateText(predictor, prompt, { temperature, topK, seed, tokens: length });
          if (found.unknown.length > 0)
            output.note(`Not in the vocabulary, and read as unknown: ${found.unknown.join(', ')}.`);
          output.result(found, (found.prompt + found.text).split('\n').map(printable).join('\n'));
        } finally {
          await predictor.dispose();
          await engine.dispose();
        }
        return;
      }
      const predictions: (Prediction | TextPrediction)[] = [];
      const rows: (readonly (string | number)[])[] = [];
      let [answered, failed] = [0, 0];
      try {
        for await (const prediction of texts === undefined ? predictor.predict(files) : predictor.predictTexts(texts)) {
          // Of many files, text keeps a line each, JSON all that the model says.
          if (output.json) predictions.push(prediction);
          if (!('error' in prediction)) {
            answered++;
            if (!output.json) rows.push(rowOf(prediction));
            continue;
          }
          failed++;
          const { error } = prediction;
          const where = whereOf(prediction).join(', row ');
          if (!output.json) shell.streams.err(`netsmith: ${printable(where)}: ${printable(error)}\n`);
        }
      } finally {
        await predictor.dispose();
        await engine.dispose();
      }
      const head = [
        texts === undefined ? 'file' : 'text',
        ...(rows.some((row) => row.length > 2) ? ['row'] : []),
        'prediction',
      ];
      if (output.json || answered > 0) output.result(predictions, table(head, rows));
      if (failed > 0 && answered > 0) output.note(`No prediction for ${failed} of ${answered + failed}.`);
      if (failed > 0) shell.exitCode = answered > 0 ? 1 : 2;
    });
}

interface PredictOptions extends Omit<GenerateOptions, 'tokens'> {
  readonly data?: string;
  readonly text?: readonly string[];
  readonly prompt?: string;
  readonly length?: number;
}

/** Throws UserError unless there are either files, texts or a prompt. */
function checkAsked(files: readonly string[], { text, prompt, temperature, topK, seed, length }: PredictOptions): void {
  const given = text !== undefined ? '--text' : prompt !== undefined ? '--prompt' : undefined;
  if (given === undefined && files.length === 0)
    throw invalid('files', 'none', 'name files, give a --text to classify, or give a language model a --prompt');
  if (given !== undefined && files.length > 0) throw invalid('files', files.join(', '), `must be absent with ${given}`);
  if (text !== undefined && prompt !== undefined) throw invalid('--prompt', prompt, 'must be absent with --text');
  const [name] = Object.entries({ temperature, topK, seed, length }).find(([, value]) => value !== undefined) ?? [];
  if (prompt === undefined && name !== undefined) throw invalid(flagOf(name), 'is given', 'only applies with --prompt');
}

/** With the task of the user's own data set. Throws UserError where the model is for another. */
async function predictorOf(engine: Engine, model: string, own: DatasetDefinition | undefined): Promise<Predictor> {
  const predictor = await openPredictor(engine, model, own?.task);
  const { task } = predictor.metadata;
  if (own === undefined || own.kind === task) return predictor;
  await predictor.dispose();
  throw invalid('--data', `a data set for ${own.kind}`, `the model is for ${task}`);
}

/** Six digits, and all before the decimal point: milliseconds since 1970 differ in the last of them. */
function showTarget(value: number): string {
  const whole = Math.trunc(Math.abs(value)).toString().length;
  return Math.abs(value) < 1e15 ? String(Number(value.toPrecision(Math.max(6, whole + 1)))) : String(value);
}

const collected = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** Characters of a text that a table shows. */
const SHOWN = 60;

function whereOf(prediction: Prediction | TextPrediction): readonly (string | number)[] {
  if ('text' in prediction) return [shownText(prediction.text)];
  return [prediction.file, ...(prediction.row === undefined ? [] : [prediction.row])];
}

const shownText = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text);

function rowOf(
  prediction: Exclude<Prediction | TextPrediction, { readonly error: string }>,
): readonly (string | number)[] {
  const where = whereOf(prediction);
  if ('values' in prediction) {
    const values = Object.entries(prediction.values).map(([target, value]) => `${target} ${showTarget(value)}`);
    return [...where, values.join(', ')];
  }
  if ('answer' in prediction) return [...where, JSON.stringify(prediction.answer)];
  const share = prediction.probabilities[prediction.class] ?? 0;
  return [...where, `${prediction.class} (${(100 * share).toFixed(1)} %)`];
}
