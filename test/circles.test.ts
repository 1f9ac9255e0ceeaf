import assert from 'node:assert/strict';
import { test } from 'node:test';
import { circlesIn, importsBelow } from '../scripts/circles.ts';

test('no files of src/ import one another in a circle, not even types', () => {
  const imports = importsBelow('src');
  assert.ok((imports.get('src/study/run.ts') ?? []).includes('src/study/session.ts'));
  assert.ok((imports.get('src/strategy/index.ts') ?? []).includes('src/strategy/definition.ts'));
  assert.deepEqual(circlesIn(imports), []);
});

test('circles are found, each once, with all their files', () => {
  const imports = new Map([
    ['a', ['b', 'e']],
    ['b', ['c']],
    ['c', ['a', 'd']],
    ['d', ['e']],
    ['e', ['d']],
    ['f', ['a', 'g']],
    ['g', ['h']],
    ['h', []],
    ['i', ['i']],
  ]);
  const found = circlesIn(imports).map((circle) => circle.join(' '));
  assert.deepEqual(found.toSorted(), ['a b c', 'd e', 'i']);
});
