import assert from 'node:assert/strict';
import test from 'node:test';
import { UserError } from '../common/errors.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { requireSameData } from './same-data.ts';

const info: DatasetInfo = {
  name: 'image-folder',
  kind: 'classification',
  input: [3, 8, 8],
  outputs: 2,
  labels: ['cat', 'dog'],
  range: [0, 255],
  mean: [1, 2, 3],
  deviation: [1, 1, 1],
  counts: { train: 6, valid: 2, test: 2 },
  checksums: { files: 'f', search: 's', test: 't' },
  notes: [],
};
const without = { ...info, counts: { train: 5, valid: 2, test: 2 }, checksums: { files: 'f', search: 'x', test: 't' } };

const check = (now: Partial<DatasetInfo>, then: DatasetInfo = info, leaveOut = false) =>
  requireSameData('study "a"', then, { ...info, ...now }, leaveOut);
const refused = (expected: RegExp, now: Partial<DatasetInfo>, leaveOut = false) =>
  assert.throws(
    () => check(now, info, leaveOut),
    (error) => error instanceof UserError && expected.test(error.message),
  );

test('whatever differs is said, the plainest first', () => {
  check({ notes: ['in other words'] });
  refused(/the classes are now cat, cow instead of cat, dog/, { labels: ['cat', 'cow'] });
  refused(/5 training samples instead of 6.*resume DIR --without FILE/, without);
  refused(/file names differ/, { checksums: { files: 'g', search: 'x' } });
  refused(/a training or validation sample has changed/, { checksums: { files: 'f', search: 'x', test: 'y' } });
  refused(/a test sample has changed/, { checksums: { files: 'f', search: 's', test: 'y' } });
  refused(/statistics of the data have changed/, { mean: [1, 2, 4] });
  refused(/statistics/, { decoding: { background: 255 } });
});

test('a study of an earlier version knows no quantiles', () => {
  const quantiles = [[-1, 0, 1], [], []];
  check({ quantiles });
  check({}, { ...info, quantiles });
  check({ quantiles }, { ...info, quantiles });
  assert.throws(() => check({ quantiles }, { ...info, quantiles: [[-1, 0, 2], [], []] }), /statistics/);
});

test('the way on is typed as the program was called', () => {
  const before = process.env.npm_command;
  process.env.npm_command = 'exec';
  try {
    refused(/had to be removed: npx netsmith resume DIR --without FILE/, without);
  } finally {
    if (before === undefined) delete process.env.npm_command;
    else process.env.npm_command = before;
  }
});

test('studies of earlier versions and processes that were told to trust have fewer checksums: what both have is compared', () => {
  const { checksums, ...old } = info;
  check({}, old);
  assert.throws(() => check({ mean: [1, 2, 4] }, old), UserError);
  check({ checksums: { files: 'f' } });
  refused(/names differ/, { checksums: { files: 'g' } });
});

test('images may be left out: contents and counts may then differ, names and classes not', () => {
  check(without, info, true);
  refused(/files were added, or files other/, { ...without, checksums: { files: 'g' } }, true);
  refused(/7 training samples instead of 6/, { ...without, counts: { train: 7, valid: 2, test: 1 } }, true);
  refused(/the classes/, { ...without, labels: ['cat', 'cow'] }, true);
});
