import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');
const DOCS = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...DOCS.map((name) => join('docs', name))];
const WIDTH = 120;

/** The lines of running text with their numbers: no code blocks and no tables. */
function* textOf(page: string): Generator<readonly [line: number, text: string]> {
  let isCode = false;
  for (const [i, text] of readFileSync(join(ROOT, page), 'utf8').split('\n').entries()) {
    const isFence = /^\s*(```|~~~)/.test(text);
    if (isFence) isCode = !isCode;
    if (!isCode && !isFence && !/^\s*\|/.test(text)) yield [i + 1, text];
  }
}

suite('documents', () => {
  for (const page of PAGES) {
    test(`${page}: lines wrap at ${WIDTH} characters, unless they are one long link`, () => {
      const long = [...textOf(page)].filter(([, text]) => [...text].length > WIDTH && text.trim().includes(' '));
      assert.deepEqual(
        long.map(([line]) => line),
        [],
      );
    });

    test(`${page}: links lead to files`, () => {
      const links = [...textOf(page)].flatMap(([, text]) => [...text.matchAll(/\]\(([^)#\s]+)/g)]);
      const broken = links
        .map(([, target = '']) => target)
        .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(ROOT, dirname(page), target)));
      assert.deepEqual(broken, []);
    });
  }

  test('scripts that documents name exist, and --help prints what they do', () => {
    const named = PAGES.flatMap((page) => [
      ...readFileSync(join(ROOT, page), 'utf8').matchAll(
        /\b(bench\/[\w/-]+\.(?:ts|py))\b|npm run (?:-s )?([\w:]+(?:-\w+)*)/g,
      ),
    ]);
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const missing = named.filter(([, file, script]) =>
      file === undefined ? !Object.hasOwn(scripts, script ?? '') : !existsSync(join(ROOT, file)),
    );
    assert.deepEqual(missing, []);
    for (const file of ['engine/sessions.ts', 'engine/document.ts', 'parity/dump.ts']) {
      const words = ['--conditions=netsmith-source', join(ROOT, 'bench', file), '--help'];
      const { status, stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' });
      assert.equal(status, 0);
      assert.match(stdout, /node --conditions=netsmith-source bench\//, file);
    }
  });
});
