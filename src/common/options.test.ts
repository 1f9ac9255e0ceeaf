import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from './errors.ts';
import { optionsBy, schemaOf } from './options.ts';

const specs = {
  width: { default: 16, whole: true, min: 1, max: 64 },
  rate: { default: 0.1, above: 0, below: 1 },
  mode: { default: 'a', words: ['a', 'b'] },
  fast: false,
} as const;

test('an option has its default unless a value is given, and its rule checks the value', () => {
  assert.deepEqual(optionsBy(specs, { width: 8 }, 'mine'), { width: 8, rate: 0.1, mode: 'a', fast: false });
  for (const [given, message] of [
    [{ width: 0 }, 'mine: option width is 0; must be at least 1'],
    [{ width: 1.5 }, 'mine: option width is 1.5; must be a whole number'],
    [{ width: Number.NaN }, 'mine: option width is NaN; must be a number'],
    [{ width: 5n }, 'mine: option width is 5; must be a number'],
    [{ rate: 1 }, 'mine: option rate is 1; must be below 1'],
    [{ mode: 'c' }, 'mine: option mode is "c"; must be one of a, b'],
    [{ fast: 1 }, 'mine: option fast is 1; must be true or false'],
    [{ widht: 4 }, 'mine: unknown option "widht"; did you mean "width"? It must be one of width, rate, mode, fast'],
  ] as const)
    assert.throws(() => optionsBy(specs, given, 'mine'), { name: 'UserError', message });
  const cyclic: Record<string, unknown> = {};
  cyclic.fast = cyclic;
  assert.throws(() => optionsBy(specs, cyclic, 'mine'), UserError);
});

test('a default that breaks its rule, and a rule that there is not, are refused with their names', () => {
  const refuses = (spec: object, message: RegExp) =>
    assert.throws(() => schemaOf({ width: spec } as never, 'mine'), { name: 'UserError', message });
  refuses({ default: 0, min: 1 }, /^mine: default of option "width" is 0; must be at least 1$/);
  refuses({ default: 4, minimum: 2 }, /^mine: option "width": unknown rule "minimum"; /);
  refuses({ default: 'c', words: ['a', 'b'] }, /default of option "width" is "c"; must be one of a, b/);
  refuses([1], /default of option "width" is \[1\]; must be a number, text or boolean/);
  assert.deepEqual(optionsBy({ on: { default: true }, name: { default: 'x' } } as never, {}, 'mine'), {
    on: true,
    name: 'x',
  });
});
