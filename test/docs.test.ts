import assert from 'node:assert/strict';
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
});
