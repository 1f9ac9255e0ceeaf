/**
 * Our own ResNet without a search, by `netsmith train`, with as many epochs as fit a time: node resnet.ts '{ ...Order }'. Trains a
 * few samples first, to learn what an epoch takes. Prints a line RESULT, as the peers do.
 */
import { spawnSync } from 'node:child_process';
import { BIN } from './score.ts';

/** The order of one training. */
export interface ResNetOrder {
  readonly depth: number;
  readonly seconds: number;
  readonly seed: number;
  /** Training samples. */
  readonly count: number;
  /** Flags that name the data. */
  readonly data: readonly string[];
  readonly isPhotograph: boolean;
}

interface Trained {
  readonly params: number;
  readonly epochs: readonly { readonly seconds: number; readonly spent: { readonly train: number } }[];
  readonly test?: { readonly accuracy: number };
}

/** Samples of the trial that measures: some 15 steps. */
const MEASURED = 2000;

if (process.argv[1] === import.meta.filename) {
  const start = performance.now();
  const order = JSON.parse(process.argv[2] ?? '') as ResNetOrder;
  const measured = Math.min(MEASURED, order.count);
  const first = train(order, ['--epochs', '1', '--warmup-epochs', '0', '--train-samples', String(measured)]);
  const spent = first.epochs[0]?.spent.train ?? 0;
  const began = (performance.now() - start) / 1000;
  // A second start of the program, and the test split, take about what the first start took without its steps.
  const left = order.seconds - began - (began - spent);
  const epochs = Math.max(1, Math.floor(left / ((spent / measured) * order.count)));
  const { test, params } = train(order, ['--epochs', String(epochs), '--test']);
  console.log('RESULT', JSON.stringify({ test: test?.accuracy, params, epochs }));
}

function train({ depth, seed, data, isPhotograph }: ResNetOrder, more: readonly string[]): Trained {
  const recipe = '--optimizer sgd --learning-rate 0.1 --weight-decay 0.0005 --batch-size 128 --valid-share 0'.split(
    ' ',
  );
  const changes = isPhotograph ? ['--flip', '--crop-padding', '4'] : [];
  const space = ['--space', 'resnet', '--space-options', `depth=${depth}`, '--seed', String(seed)];
  const args = [BIN, 'train', '--json', '--quiet', ...data, ...space, ...recipe, ...changes, ...more];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`netsmith train ended with ${status}`);
  return JSON.parse(stdout) as Trained;
}
