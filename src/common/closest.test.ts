import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closest, unknownName } from './closest.ts';

test('the name that was meant: a swapped, missing, wrong or additional letter, another case or dash', () => {
  const known = ['tpe', 'asha', 'evolution', 'aging-evolution', 'learningRate'];
  const meant = ['tep', 'ahsa', 'evoluton', 'Aging_Evolution', 'learning-rate', 'bayes', '', 'x'.repeat(1e6)];
  assert.deepEqual(
    meant.map((name) => closest(name, known)),
    ['tpe', 'asha', 'evolution', 'aging-evolution', 'learningRate', undefined, undefined, undefined],
  );
});

test('the error suggests one name, and lists the known ones where they are few or none is near', () => {
  const few = ['width', 'depth'];
  const many = Array.from({ length: 20 }, (_, i) => `setting${i}of${'abcdefghijklmnopqrst'[i]}`);
  assert.equal(
    unknownName('unknown option', 'wdith', few).message,
    'unknown option "wdith"; did you mean "width"? It must be one of width, depth',
  );
  assert.equal(unknownName('unknown option', 'x', few).message, 'unknown option "x"; it must be one of width, depth');
  assert.equal(unknownName('unknown option', 'x', []).message, 'unknown option "x"; there are none');
  assert.equal(
    unknownName('unknown setting', 'settin0ofa', many).message,
    'unknown setting "settin0ofa"; did you mean "setting0ofa"?',
  );
});
