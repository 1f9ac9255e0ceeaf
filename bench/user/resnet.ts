/**
 * Our own ResNet without a search, by `netsmith train --time`: node resnet.ts '{ ...Order }'. Prints a line RESULT, as the peers do.
 */
import { spawnSync } from 'node:child_process';
import { BIN } from './score.ts';

/** The order of one training. */
export interface ResNetOrder {
  readonly depth: number;
  readonly seconds: number;
  readonly seed: number;
  /** Flags that name the data. */
  readonly data: readonly string[];
  readonly isPhotograph: boolean;
}

interface Trained {
  readonly params: number;
  readonly epochs: readonly unknown[];
  readonly test?: { readonly accuracy: number };
}

if (process.argv[1] === import.meta.filename) {
  const { test, params, epochs } = train(JSON.parse(process.argv[2] ?? '') as ResNetOrder);
  console.log('RESULT', JSON.stringify({ test: test?.accuracy, params, epochs: epochs.length }));
}

function train({ depth, seconds, seed, data, isPhotograph }: ResNetOrder): Trained {
  const recipe = '--optimizer sgd --learning-rate 0.1 --weight-decay 0.0005 --batch-size 128 --valid-share 0'.split(
    ' ',
  );
  const changes = isPhotograph ? ['--flip', '--crop-padding', '4'] : [];
  const space = ['--space', 'resnet', '--space-options', `depth=${depth}`, '--seed', String(seed)];
  // What the start of this file took is part of the time.
  const time = ['--time', `${(seconds - performance.now() / 1000).toFixed(1)}s`, '--test'];
  const args = [BIN, 'train', '--json', '--quiet', ...data, ...space, ...recipe, ...changes, ...time];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
  if (status !== 0) throw new Error(`netsmith train ended with ${status}`);
  return JSON.parse(stdout) as Trained;
}
