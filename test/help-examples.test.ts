import assert from 'node:assert/strict';
import test from 'node:test';
import { netsmith } from './support/netsmith.ts';

test('examples of --help quote with double quotes alone: cmd.exe takes single ones literally', async () => {
  for (const name of [
    'train',
    'show',
    'run',
    'search',
    'compare',
    'predict',
    'scale',
    'evaluate',
    'export',
    'measure',
  ]) {
    const { out } = await netsmith(name, '--help');
    const examples = out.split('\n').filter((line) => line.startsWith('  $ '));
    assert.ok(examples.length > 0, name);
    for (const line of examples) assert.ok(!line.includes("'"), line);
  }
});
