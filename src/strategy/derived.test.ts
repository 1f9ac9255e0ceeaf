import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Architecture } from '../space/space.ts';
import { first, successor } from '../space/tree/enumerate.ts';
import { derivedSearch } from './derived.ts';
import { problemOf, tinySpace } from './testing/problems.ts';

const problem = problemOf(tinySpace);

function* members(): Generator<Architecture> {
  for (let one: Architecture | undefined = first(tinySpace); one !== undefined; one = successor(tinySpace, one))
    yield one;
}
const [a = {}, b = {}, c = {}] = members();

/** A strategy, and its state after a supernet has derived these. */
async function after(derived: readonly Architecture[], changes: Partial<typeof problem> = {}) {
  const strategy = derivedSearch('darts');
  const changed = { ...problem, ...changes };
  return { strategy, state: await strategy.derive?.(changed, strategy.init(changed), derived) };
}

test('what the last epoch derives is proposed first, then different architectures of earlier epochs, each once', async () => {
  const { strategy, state = { waiting: [] } } = await after([a, b, b, c, b]);
  const [next, proposals] = await strategy.ask(problem, state, 0, 2);
  const [, rest] = await strategy.ask(problem, next, 2, 2);
  assert.deepEqual(
    [...proposals, ...rest].map(({ architecture }) => architecture),
    [b, c, a],
  );
});

test('nothing is proposed before a supernet is trained', async () => {
  const strategy = derivedSearch('darts');
  assert.deepEqual((await strategy.ask(problem, strategy.init(problem), 0, 2))[1], []);
});

test('architectures above a limit are not proposed', async () => {
  const max = problem.costs(a).params ?? 0;
  const above = [...members()].filter((one) => (problem.costs(one).params ?? 0) > max);
  assert.ok(above.length > 0);
  const { state } = await after([a, ...above], { limits: [{ cost: 'params', max }] });
  assert.deepEqual(state?.waiting, [a]);
});
