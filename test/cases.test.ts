import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Case } from './support/cases.ts';
import { IMAGE_CASES } from './support/cases-images.ts';
import { TABLE_CASES } from './support/cases-tables.ts';
import { netsmith } from './support/netsmith.ts';

const CASES = join(import.meta.dirname, '../../shared/cases');
const SPACE = join(import.meta.dirname, 'support/fixture-space.ts');
const skip = existsSync(CASES) ? false : 'the folder shared/cases is not there';
const TABLE = ['--data', 'csv', '--label', 'label', '--epochs', '20'];
const IMAGES = ['--data', 'image-folder', '--epochs', '10', '--batch-size', '8'];

for (const [kind, cases] of [
  [TABLE, TABLE_CASES],
  [IMAGES, IMAGE_CASES],
] as const) {
  for (const { input, args = [], expect } of cases) {
    test(`case ${[input, ...args].join(' ')}: ${expected(expect)}`, { skip }, async () => {
      const data = ['--data-dir', join(CASES, input), '--space', SPACE];
      const { code, out, err } = await netsmith('train', ...kind, ...data, ...args, '--test', '--json');
      assert.doesNotMatch(err, /\n\s+at /, 'the user gets no stack trace');
      if (expect.refused !== undefined) {
        assert.equal(code, 2, err);
        assert.match(JSON.parse(err.trim().split('\n').at(-1) ?? '').error.message, expect.refused);
        return;
      }
      assert.equal(code, 0, err);
      const { test: found } = JSON.parse(out);
      if (expect.accuracy !== undefined)
        assert.ok(found.accuracy >= expect.accuracy, `accuracy ${found.accuracy}\n${err}`);
      if (expect.r2 !== undefined) assert.ok(found.r2 >= expect.r2, `r2 ${found.r2}\n${err}`);
      if (expect.note !== undefined) assert.match(err, expect.note);
      if (expect.classes !== undefined) assert.match(err, new RegExp(`\\b${expect.classes} class(es| folders)\\b`));
    });
  }
}

/** What is expected, as the name of a test. */
function expected({ accuracy, r2, classes, note, refused }: Case['expect']): string {
  if (refused !== undefined) return 'refused';
  const figures = { accuracy, r2, classes };
  const wanted = Object.entries(figures).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return [...wanted, ...(note === undefined ? [] : ['a note'])].join(', ');
}
