import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');
let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-docs-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the first TypeScript of a section as it stands, on the sources; returns what it prints. */
function runs(page: string, heading: string): string {
  const section = readFileSync(join(ROOT, 'docs', page), 'utf8').split(`\n## ${heading}\n`)[1] ?? '';
  const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
  assert.match(code, /^import/, `${page}: ${heading}`);
  const file = join(folder, 'example.ts');
  const url = (...path: string[]) => pathToFileURL(join(ROOT, ...path)).href;
  const source = code
    .replace(/'netsmith\/(\w+)'/g, (_, entry) => `'${url('src', `${entry}.ts`)}'`)
    .replace(/'\.\/(own-\w+\.ts)'/g, (_, example) => `'${url('examples', example)}'`);
  writeFileSync(file, source);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const options = { cwd: folder, env, encoding: 'utf8', timeout: 600_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=netsmith-source', file], options);
  assert.equal(status, 0, stderr);
  return stdout;
}

test('docs/library.md: a strategy and an estimator are checked', () => {
  runs('library.md', 'Checking your own code');
});

test('docs/library.md: a loss and metrics of one’s own', () => {
  assert.match(runs('library.md', 'A loss and metrics of your own'), /^\d+(\.\d+)?(e-\d+)?\n$/);
});

test('docs/library.md: a search with netsmith/web', () => {
  assert.match(runs('library.md', 'In a browser'), /score: -\d+/);
});

test('docs/tasks.md: a loss and a metric for a known task', () => {
  runs('tasks.md', 'Your own loss or metric for a known task');
});

test('docs/environments.md: lanes step until an episode ends, and an environment of one’s own is checked', () => {
  assert.match(runs('environments.md', 'The contract'), /steps: \d+,\n\s*terminated: true/);
  runs('environments.md', 'An environment of your own');
});
