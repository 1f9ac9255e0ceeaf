import assert from 'node:assert/strict';
import test from 'node:test';
import { UserError } from '../../common/errors.ts';
import { partsAmong, roleOf, type TopFolder } from './parts.ts';

const folder = (name: string, inner = 'cat dog', files = false): TopFolder => ({
  name,
  inner: inner.split(' ').filter(Boolean),
  files,
});
const leaf = (name: string) => folder(name, '', true);
const among = (...folders: readonly TopFolder[]) => partsAmong('photos', folders);
const refused = (expected: RegExp, ...folders: readonly TopFolder[]) =>
  assert.throws(
    () => among(...folders),
    (error) => error instanceof UserError && expected.test(error.message),
  );

test('parts are known by many names, in any case; other names are none', () => {
  const names = {
    train: 'train Train TRAINING training_set trainset TrainSet train-images seg_train learning trn Train1',
    valid: 'val VALID Validation validation_set dev ValidationData valset',
    test: 'test TESTING test_set testset Test-Images eval Evaluation holdout hold-out held_out seg_test tst',
  };
  for (const [role, all] of Object.entries(names))
    for (const name of all.split(' ')) assert.equal(roleOf(name), role, name);
  assert.equal(roleOf('test set'), 'test');
  for (const name of [
    'bus',
    'trainer',
    'test tube',
    'invalid',
    'devil',
    'cat',
    '0',
    '',
    'set',
    'training shoes',
    '__proto__',
  ])
    assert.equal(roleOf(name), undefined, name);
});

test('folders that are all named like parts are parts, with a role each', () => {
  assert.deepEqual(among(folder('Training'), folder('Testing')), { train: 'Training', test: 'Testing' });
  assert.deepEqual(among(folder('TRAIN'), folder('val'), folder('Test')), {
    train: 'TRAIN',
    valid: 'val',
    test: 'Test',
  });
  assert.deepEqual(among(folder('train')), { train: 'train' });
  assert.equal(among(leaf('cat'), leaf('dog')), undefined);
  assert.equal(among(leaf('bus'), leaf('train')), undefined, 'a train is a vehicle, too');
  assert.equal(among(folder('a', 'x y'), folder('b', 'x z')), undefined);
});

test('what may be either is refused, never guessed', () => {
  refused(/"train" is named like a split, and "extra" is beside/, folder('train'), folder('extra'));
  refused(/"train", "test" are named like splits, and "other" is beside/, leaf('train'), leaf('test'), leaf('other'));
  refused(/have no class folders/, leaf('train'), leaf('test'));
  refused(/"train" and "Training_set" are both the train split/, folder('train'), folder('Training_set'));
  refused(/"test", "valid", but no training split/, folder('test'), folder('valid'));
  refused(/"Lernen", "Probe" all contain the folders "cat", "dog"/, folder('Lernen'), folder('Probe'));
  assert.equal(among(folder('cat', 'in out', true), folder('dog', 'in out', true)), undefined, 'files beside: classes');
});
