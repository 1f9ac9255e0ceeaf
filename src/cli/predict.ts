import { resolve } from 'node:path';
import type { Command } from 'commander';
import { openEngine } from '../app/engine.ts';
import { ownDataset } from '../app/own-exports.ts';
import { invalid } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import type { DatasetDefinition } from '../data/own.ts';
import type { Engine } from '../engine/engine.ts';
import { openPredictor, type Prediction, type Predictor } from '../report/predict.node.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/**
 * `netsmith predict MODEL FILE...`: [{ file, class, probabilities }], of a CSV's rows also `row`; of a regression `values`; of what
 * has no answer `error`. The exit code is 1 where some have none, 2 where all have none.
 */
export function addPredict(program: Command, shell: Shell): void {
  define(
    program,
    'predict <model> <files...>',
    'Run an exported model on images, the rows of CSV files, or values in JSON',
    [
      'netsmith predict runs/photos-residual-cnn-1/best/model.onnx cat.jpg dog.png',
      'netsmith predict model.onnx photos',
      'netsmith predict model.onnx new-customers.csv --json',
      'netsmith predict model.onnx sentences.json --data ./sentences.ts',
    ],
  )
    .option('--data <file>', 'the file of your own data set, for a model of a task of your own')
    .addHelpText(
      'after',
      'A file can also be a folder (searched recursively) or a pattern such as "photos/*.jpg".\nA JSON file holds one sample, or a list of them: an object with the values of each input.\n',
    )
    .action(async (model: string, files: readonly string[], { data }: { readonly data?: string }, command: Command) => {
      const output = outputOf(command, shell);
      const own = data === undefined ? undefined : await ownDataset(resolve(data));
      const engine = await openEngine({ device: 'cpu', threads: 1, layout: 'auto' }, 1);
      const predictor = await predictorOf(engine, model, own).catch(async (error: unknown) => {
        await engine.dispose();
        throw error;
      });
      const predictions: Prediction[] = [];
      const rows: (readonly (string | number)[])[] = [];
      let [answered, failed] = [0, 0];
      try {
        for await (const prediction of predictor.predict(files)) {
          // Of many files, text keeps a line each, JSON all that the model says.
          if (output.json) predictions.push(prediction);
          if (!('error' in prediction)) {
            answered++;
            if (!output.json) rows.push(rowOf(prediction));
            continue;
          }
          failed++;
          const { file, row, error } = prediction;
          const where = row === undefined ? file : `${file}, row ${row}`;
          if (!output.json) shell.streams.err(`netsmith: ${printable(where)}: ${printable(error)}\n`);
        }
      } finally {
        await predictor.dispose();
        await engine.dispose();
      }
      const head = ['file', ...(rows.some((row) => row.length > 2) ? ['row'] : []), 'prediction'];
      if (output.json || answered > 0) output.result(predictions, table(head, rows));
      if (failed > 0 && answered > 0) output.note(`No prediction for ${failed} of ${answered + failed}.`);
      if (failed > 0) shell.exitCode = answered > 0 ? 1 : 2;
    });
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

function rowOf(prediction: Exclude<Prediction, { readonly error: string }>): readonly (string | number)[] {
  const where = [prediction.file, ...(prediction.row === undefined ? [] : [prediction.row])];
  if ('values' in prediction) {
    const values = Object.entries(prediction.values).map(([target, value]) => `${target} ${showTarget(value)}`);
    return [...where, values.join(', ')];
  }
  if ('answer' in prediction) return [...where, JSON.stringify(prediction.answer)];
  const share = prediction.probabilities[prediction.class] ?? 0;
  return [...where, `${prediction.class} (${(100 * share).toFixed(1)} %)`];
}
