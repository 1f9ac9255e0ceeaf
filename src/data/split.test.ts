import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { divide, type Parts } from './split.ts';

const classesOf = (sizes: readonly number[]) => ({
  of: sizes.flatMap((size, k) => Array<number>(size).fill(k)),
  names: sizes.map((_, k) => `class ${k}`),
});
const ofSizes = (sizes: readonly number[], ownTest = false, ownValid = false) => ({
  place: 'test data',
  count: sizes.reduce((sum, n) => sum + n, 0),
  classes: classesOf(sizes),
  ownTest,
  ownValid,
});
const counts = ({ train, valid, test }: Parts) => [train.length, valid.length, test.length];

test('without a test part of its own: 20 % test, a quarter of the rest validation, in every class alike', () => {
  const what = ofSizes([100, 200, 50]);
  const parts = divide(what, { seed: 1 });
  assert.deepEqual(counts(parts), [210, 70, 70]);
  for (const [part, shares] of [
    [parts.test, [20, 40, 10]],
    [parts.valid, [20, 40, 10]],
    [parts.train, [60, 120, 30]],
  ] as const) {
    assert.deepEqual(
      [0, 1, 2].map((k) => part.filter((i) => what.classes.of[i] === k).length),
      shares,
    );
  }
});

test('an own test or validation part leaves the samples to the other parts', () => {
  assert.deepEqual(counts(divide(ofSizes([40, 40], true), { seed: 1, validShare: 0.1 })), [72, 8, 0]);
  assert.deepEqual(counts(divide(ofSizes([40, 40], true), { seed: 1, validShare: 0 })), [80, 0, 0]);
  assert.deepEqual(counts(divide(ofSizes([40, 40], true, true), { seed: 1 })), [80, 0, 0]);
  assert.deepEqual(counts(divide(ofSizes([40, 40], false, true), { seed: 1 })), [64, 0, 16]);
});

test('the seed alone decides, and trainSamples takes from the training part alone', () => {
  const what = ofSizes([300, 100]);
  const parts = divide(what, { seed: 7 });
  assert.deepEqual(divide(what, { seed: 7 }), parts);
  assert.notDeepEqual(divide(what, { seed: 8 }).test, parts.test);
  const few = divide(what, { seed: 7, trainSamples: 40 });
  assert.deepEqual([few.valid, few.test], [parts.valid, parts.test]);
  assert.equal(few.train.length, 40);
  assert.equal(few.train.filter((i) => i >= 300).length, 10);
  assert.ok(few.train.every((i) => parts.train.includes(i)));
  assert.deepEqual(divide(what, { seed: 7, trainSamples: 1000 }).train, parts.train);
});

test('a regression is divided without strata', () => {
  const parts = divide({ place: 'table', count: 100, ownTest: false }, { seed: 1, trainSamples: 5 });
  assert.deepEqual(counts(parts), [5, 20, 20]);
});

test('any classes that are large enough: disjoint parts, no empty class, nothing lost', () => {
  const sizes = fc.array(fc.integer({ min: 3, max: 60 }), { minLength: 2, maxLength: 8 });
  const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
  fc.assert(
    fc.property(sizes, share, fc.nat(), (classes, validShare, seed) => {
      const what = ofSizes(classes);
      const { train, valid, test } = divide(what, { seed, validShare });
      const all = [...train, ...valid, ...test];
      assert.equal(new Set(all).size, what.count);
      for (const part of [train, valid, test]) {
        assert.equal(new Set([...part].map((i) => what.classes.of[i])).size, classes.length);
        assert.deepEqual(
          [...part],
          [...part].sort((a, b) => a - b),
        );
      }
    }),
  );
});

test('trainSamples is met exactly, however uneven the classes', () => {
  const sizes = fc.array(fc.integer({ min: 3, max: 200 }), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(sizes, fc.double({ min: 0, max: 1, noNaN: true }), (classes, share) => {
      const available = divide(ofSizes(classes), { seed: 1 }).train.length;
      const trainSamples = classes.length + Math.floor(share * (available - classes.length));
      assert.equal(divide(ofSizes(classes), { seed: 1, trainSamples }).train.length, trainSamples);
    }),
  );
});

test('what cannot be divided is refused with the class, the rule and the value', () => {
  const message = (part: string) => ({ name: 'UserError', message: new RegExp(part) });
  assert.throws(() => divide(ofSizes([9, 2]), { seed: 1 }), message('class "class 1" has 2 samples; at least 3'));
  assert.throws(() => divide(ofSizes([9, 1], true), { seed: 1 }), message('class "class 1" has 1 sample; at least 2'));
  assert.throws(() => divide(ofSizes([9, 9]), { seed: 1, validShare: -0.1 }), message('validShare is -0.1'));
  assert.throws(() => divide(ofSizes([9, 9]), { seed: 1, validShare: 1 }), message('validShare is 1'));
  assert.throws(() => divide(ofSizes([9, 9]), { seed: 1, validShare: Number.NaN }), message('validShare is NaN'));
  assert.throws(() => divide(ofSizes([9, 9]), { seed: 1, trainSamples: 1 }), message('trainSamples is 1'));
  assert.throws(() => divide(ofSizes([9, 9]), { seed: 1, trainSamples: 4.5 }), message('trainSamples is 4.5'));
});
