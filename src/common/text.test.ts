import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './json.ts';
import { printable } from './text.ts';

test('text that could steer a terminal or a page is shown as escapes', () => {
  assert.equal(printable('cat\u001b[2J.jpg'), 'cat\\u001b[2J.jpg');
  assert.equal(printable('a\u202egpj.exe'), 'a\\u202egpj.exe');
  assert.equal(printable('line\nbreak'), 'line\\u000abreak');
  assert.equal(printable('Größe 北京 🙂'), 'Größe 北京 🙂');
});

test('JSON that is broken or nested too deeply is refused with its place', () => {
  assert.deepEqual(parseJson('{"a":["[",1]}', 'file'), { a: ['[', 1] });
  assert.throws(() => parseJson('{\n  b}', 'file "a.json"'), {
    name: 'UserError',
    message: 'file "a.json": is not valid JSON at line 2, column 3; it must be JSON',
  });
  assert.throws(() => parseJson('{"a":', 'file "a.json"'), { name: 'UserError', message: /is not valid JSON/ });
  assert.throws(() => parseJson('['.repeat(100_000), 'file'), { name: 'UserError', message: /is nested too deeply/ });
  assert.throws(() => parseJson('{"a":'.repeat(1000), 'file'), { name: 'UserError', message: /is nested too deeply/ });
});
