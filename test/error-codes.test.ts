import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { netsmith } from './support/netsmith.ts';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-errors-'));
after(() => rmSync(folder, { recursive: true }));

async function failure(...args: string[]): Promise<{ readonly code: string; readonly message: string }> {
  const { code, out, err } = await netsmith(...args, '--json');
  assert.equal(code, 2, err);
  assert.equal(out, '');
  return JSON.parse(err.trim().split('\n').at(-1) ?? '').error;
}

test('with --json a refusal is one JSON value with a code, whoever finds the mistake', async () => {
  const unknown = await failure('strategies', 'tep');
  assert.equal(unknown.code, 'invalid-input');
  assert.match(unknown.message, /did you mean "tpe"/);
  const parser = await failure('samples', 'mlp', '--no-such-flag');
  assert.equal(parser.code, 'invalid-input');
  assert.match(parser.message, /^unknown option '--no-such-flag'/);
});

test('no text of the CSV parser reaches the message', async () => {
  const table = join(folder, 'rows.csv');
  writeFileSync(table, `a,label\n"1"2,x\n${'3,y\n4,x\n'.repeat(9)}`);
  const bad = await failure('data', table);
  assert.match(bad.message, /line 2.*: there is text behind a closing quotation mark; the row must be well-formed CSV/);
});
