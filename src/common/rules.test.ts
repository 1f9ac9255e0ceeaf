import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { ruleOf } from './rules.ts';

test('every kind of issue has a rule in plain words, and none of the text of the library', () => {
  const kinds = new Set<string>();
  for (const [schema, value, rule] of [
    [z.number(), 'x', 'must be a number'],
    [z.number(), Number.NaN, 'must be a number'],
    [z.number(), Number.NEGATIVE_INFINITY, 'must be a finite number'],
    [z.int(), 0.5, 'must be a whole number'],
    [z.array(z.string()), 'x', 'must be a list'],
    [z.tuple([z.string()]), 'x', 'must be a list'],
    [z.record(z.string(), z.number()), 1, 'must be an object'],
    [z.date(), 1, 'must be of type date'],
    [z.never(), 1, 'must be left out'],
    [z.number().min(1), 0, 'must be at least 1'],
    [z.number().gt(1), 1, 'must be above 1'],
    [z.number().max(2000), 2001, 'must be at most 2,000'],
    [z.number().lt(2), 2, 'must be below 2'],
    [z.string().min(1), '', 'must not be empty'],
    [z.string().min(3), 'ab', 'must have at least 3 characters'],
    [z.array(z.number()).min(1), [], 'must not be empty'],
    [z.array(z.number()).max(1), [1, 2], 'must have at most 1 entry'],
    [z.array(z.number()).length(2), [1], 'must have exactly 2 entries'],
    [z.number().multipleOf(4), 3, 'must be a multiple of 4'],
    [z.enum(['a', 'b']), 'c', 'must be one of a, b'],
    [z.literal('a'), 'c', 'must be a'],
    [z.string().regex(/^a$/), 'b', 'must have the form /^a$/'],
    [z.string().startsWith('a'), 'b', 'must begin with "a"'],
    [z.string().endsWith('a'), 'b', 'must end with "a"'],
    [z.string().includes('a'), 'b', 'must contain "a"'],
    [z.email(), 'b', 'must have the form of email'],
    [z.strictObject({}), { a: 1, b: 2 }, 'must have no "a", "b"'],
    [z.union([z.number(), z.string()]), true, 'must be a number, or must be text'],
    [z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') })]), { kind: 'b' }, 'must have a known "kind"'],
    [
      z.record(z.string().min(2), z.number()),
      { a: 1 },
      'must have names that keep their rule: must have at least 2 characters',
    ],
    [z.map(z.string(), z.number()), new Map([['a', 'x']]), 'must be a number'],
    [z.set(z.number()), new Set(['a']), 'must be a number'],
    [z.map(z.object({}), z.number()), new Map([[{}, 'x']]), 'must have entries that keep their rule: must be a number'],
    [z.number().refine(() => false), 1, 'must pass its check'],
    [z.number().refine(() => false, 'must be mine'), 1, 'must be mine'],
  ] as const) {
    const [issue] = schema.safeParse(value, { error: ruleOf }).error?.issues ?? [];
    assert.equal(issue?.message, rule);
    kinds.add(issue.code);
  }
  const all = Object.keys({
    ...{ invalid_type: 0, too_big: 0, too_small: 0, invalid_format: 0, not_multiple_of: 0, unrecognized_keys: 0 },
    ...{ invalid_union: 0, invalid_key: 0, invalid_element: 0, invalid_value: 0, custom: 0 },
  } satisfies Record<z.core.$ZodIssue['code'], 0>);
  assert.deepEqual([...kinds].sort(), all.sort());
});
