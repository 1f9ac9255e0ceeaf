import assert from 'node:assert/strict';
import { test } from 'node:test';
import { netsmith } from './support/netsmith.ts';

async function failure(...args: string[]): Promise<{ readonly code: string; readonly message: string }> {
  const { code, out, err } = await netsmith(...args, '--json');
  assert.equal(code, 2, err);
  assert.equal(out, '');
  return JSON.parse(err.trim().split('\n').at(-1) ?? '').error;
}

test('with --json a refusal is one JSON value with a code, wherever the mistake is found', async () => {
  const unknown = await failure('strategies', 'tep');
  assert.equal(unknown.code, 'invalid-input');
  assert.match(unknown.message, /did you mean "tpe"/);
  const parser = await failure('samples', 'mlp', '--no-such-flag');
  assert.equal(parser.code, 'invalid-input');
  assert.match(parser.message, /^unknown option '--no-such-flag'/);
});
