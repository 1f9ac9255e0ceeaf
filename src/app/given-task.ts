import { invalid } from '../common/errors.ts';
import { isWhole, parseNumber } from '../common/numbers.ts';
import type { Task } from '../space/index.ts';

/** What a command says of a task without data. */
export interface GivenTask {
  readonly input?: string;
  readonly outputs?: number | string;
  readonly regression: boolean;
}

/** The task that `--input`, `--outputs` and `--regression` describe. Throws UserError. */
export function taskFrom({ input = '3,32,32', outputs = 10, regression }: GivenTask): Task {
  const shape = input.split(',').map((size) => parseNumber(size) ?? Number.NaN);
  const isShape = shape.length === 1 || (shape.length === 3 && shape.every((size) => size <= 4096));
  if (!isShape || !shape.every((size) => isWhole(size, 1, 1_000_000))) {
    throw invalid(
      '--input',
      `"${input}"`,
      'must be channels,height,width, each up to 4,096, or a number of features, up to 1,000,000',
    );
  }
  if (!isWhole(outputs, 1, 1_000_000)) {
    throw invalid('--outputs', `"${outputs}"`, 'must be a whole number from 1 to 1,000,000');
  }
  return { kind: regression ? 'regression' : 'classification', input: shape, outputs };
}
