import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { walk, walkText } from '../scripts/walk.ts';

test('at most 20 files carry a trial to its first training step, and docs/ARCHITECTURE.md shows them', () => {
  const legs = walk();
  for (const { title, files } of legs) assert.notDeepEqual(files, [], title);
  const text = walkText(legs);
  assert.ok(new Set(legs.flatMap(({ files }) => files)).size <= 20, text);
  const shown = readFileSync(join(import.meta.dirname, '..', 'docs', 'ARCHITECTURE.md'), 'utf8');
  assert.ok(shown.includes(`\`\`\`text\n${text}\n\`\`\``), `what scripts/walk.ts prints has changed:\n${text}`);
});
