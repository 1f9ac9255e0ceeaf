import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { classification } from '../task/classification.ts';
import { withLoss } from '../task/own.ts';
import { checkSettings, DEFAULT_SETTINGS, type TrainSettings, withHyperparameters } from './settings.ts';

const refuses = (change: Record<string, unknown>, message: RegExp, data?: Parameters<typeof checkSettings>[2]) =>
  assert.throws(
    () => checkSettings({ ...DEFAULT_SETTINGS, ...change } as TrainSettings, 'settings', data),
    (error) => error instanceof UserError && message.test(error.message),
  );

test('the defaults keep every rule', () => {
  assert.equal(checkSettings(DEFAULT_SETTINGS), DEFAULT_SETTINGS);
});

test('a broken rule is named with the setting and its value', () => {
  refuses({ epochs: 0 }, /^settings: epochs is 0; it must be a whole number from 1 to 1,000,000$/);
  refuses({ batchSize: 2.5 }, /batchSize is 2.5/);
  refuses({ learningRate: 0 }, /learningRate is 0; it must be a number above 0 and at most 1e\+38$/);
  refuses({ learningRate: Number.NaN }, /learningRate/);
  refuses({ momentum: 1 }, /momentum is 1; it must be a number of at least 0 and below 1$/);
  refuses({ optimizer: 'lion' }, /optimizer is "lion"; it must be one of sgd, asgd, adam, adamw/);
  refuses({ beta2: 1 }, /beta2 is 1; it must be a number of at least 0 and below 1$/);
  refuses(
    { optimizer: 'asgd', weightAverage: 0.9 },
    /weightAverage is 0.9; must be 0 with the optimizer asgd, which has an average of its own$/,
  );
  refuses({ flip: 'yes' }, /flip is "yes"/);
  refuses({ lerningRate: 1 }, /unknown setting "lerningRate"/);
  refuses({ warmupEpochs: 11 }, /warmupEpochs is 11; it must not exceed epochs \(10\)/);
});

test('settings that the data cannot use are refused', () => {
  const table = { name: 'table', kind: 'regression', input: [7], outputs: 1 } as const;
  refuses({ flip: true }, /flip is true; it only applies to images/, table);
  refuses({ labelSmoothing: 0.1 }, /labelSmoothing is 0.1; it only applies to classification/, table);
  refuses({ classWeights: 'balanced' }, /classWeights is balanced; it only applies to classification/, table);
  refuses({ patience: 1.5 }, /patience is 1.5; it must be a number of at least 0 and at most 1/);
  refuses({ classWeights: 'even' }, /classWeights is "even"; it must be one of auto, none, balanced/);
});

test('class weights are refused for a loss of one’s own, which need not be linear in the targets', () => {
  const classes = { name: 'classes', kind: 'classification', input: [7], outputs: 2 } as const;
  const balanced = { ...DEFAULT_SETTINGS, classWeights: 'balanced' } as const;
  assert.equal(checkSettings(balanced, 'settings', classes), balanced);
  assert.throws(
    () => checkSettings(balanced, 'settings', classes, withLoss(classification, classification.loss)),
    /settings: classWeights is balanced; it only applies to classification by the task's own loss/,
  );
});

test('hyperparameters take the place of settings, and keep the same rules', () => {
  assert.equal(withHyperparameters(DEFAULT_SETTINGS, { learningRate: 0.3, optimizer: 'adam' }).learningRate, 0.3);
  assert.throws(
    () => withHyperparameters(DEFAULT_SETTINGS, { learningRate: -1 }),
    /hyperparameters: learningRate is -1/,
  );
  assert.throws(() => withHyperparameters(DEFAULT_SETTINGS, { depth: 3 }), /unknown setting "depth"/);
  assert.throws(() => withHyperparameters(DEFAULT_SETTINGS, { epochs: 3 }), /the fidelity sets/);
});
