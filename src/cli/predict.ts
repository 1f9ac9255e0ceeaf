import type { Command } from 'commander';
import type { Json } from '../common/json.ts';
import { type Prediction, predictFiles } from '../report/predict.node.ts';
import { define, outputOf, type Shell } from './command.ts';
import { openEngine } from './engine.ts';
import { table } from './output.ts';

/** `netsmith predict MODEL FILE...`: [{ file, class, probabilities }], of a CSV's rows also `row`; of a regression `values` */
export function addPredict(program: Command, shell: Shell): void {
  define(
    program,
    'predict <model> <files...>',
    'Say what an exported model makes of images, or of the rows of CSV files',
    [
      'netsmith predict runs/photos-small-cnn-1/best/model.onnx cat.jpg dog.png',
      'netsmith predict model.onnx new-customers.csv --json',
    ],
  ).action(async (model: string, files: readonly string[], _options: unknown, command: Command) => {
    const engine = await openEngine({ device: 'cpu', threads: 1, layout: 'auto' }, 1);
    const { predictions } = await predictFiles(engine, model, files);
    outputOf(command, shell).result(
      predictions as unknown as Json,
      table(
        ['file', ...(predictions.some(({ row }) => row !== undefined) ? ['row'] : []), 'prediction'],
        predictions.map(rowOf),
      ),
    );
  });
}

function rowOf(prediction: Prediction): readonly (string | number)[] {
  const where = [prediction.file, ...(prediction.row === undefined ? [] : [prediction.row])];
  if ('values' in prediction) {
    const values = Object.entries(prediction.values).map(
      ([target, value]) => `${target} ${Number(value.toPrecision(6))}`,
    );
    return [...where, values.join(', ')];
  }
  const share = prediction.probabilities[prediction.class] ?? 0;
  return [...where, `${prediction.class} (${(100 * share).toFixed(1)} %)`];
}
