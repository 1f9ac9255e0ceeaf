import assert from 'node:assert/strict';
import { messageOf, UserError } from '../common/errors.ts';
import { rng } from '../common/random.ts';
import { isFixed, type SearchSpace } from './search-space.ts';
import type { Architecture } from './space.ts';
import { architectureKey } from './tree/architecture.ts';
import { moduleFromJson } from './tree/json.ts';
import type { Module } from './tree/module.ts';

/** One rule. `check` rejects if the space breaks it. */
export interface SpaceRule {
  readonly title: string;
  check(): Promise<void>;
}

export interface CheckSearchSpaceOptions {
  /** Number of members to draw (default 20). */
  readonly samples?: number;
  /** Throws for a network that cannot be built. Only for a space all of whose networks can be built. */
  readonly network?: (network: Module) => void;
}

/** The rules for every search space. */
export function searchSpaceRules(
  space: SearchSpace,
  { samples = 20, network = () => {} }: CheckSearchSpaceOptions = {},
): readonly SpaceRule[] {
  const rules: SpaceRule[] = [];
  const test = (title: string, check: () => void) => rules.push({ title, check: async () => check() });
  const stream = (...labels: readonly (string | number)[]) => rng('search space', ...labels);
  const draw = (label: string) => Array.from({ length: samples }, (_, i) => space.sample(stream(label, i)));
  const isFixedSpace = isFixed(space);
  const mutantsOf = (architecture: Architecture, i: number) => {
    const random = stream('mutate', i);
    const mutants: Architecture[] = [];
    for (let step = 0; step < 5 && !isFixedSpace; step++)
      mutants.push(space.mutate(mutants.at(-1) ?? architecture, random));
    return mutants;
  };
  /** Samples, what mutations make of them step by step, and children of two of these. */
  const members = () => {
    const grown = draw('members').flatMap((one, i) => [one, ...mutantsOf(one, i)]);
    const parent = (i: number) => grown[stream('parent', i).int(grown.length)] ?? grown[0];
    const children = grown.flatMap((one, i) => {
      const other = parent(i);
      return other === undefined ? [] : [space.crossover(one, other, stream('crossover', i))];
    });
    return [...grown, ...children];
  };

  test('the same stream draws, mutates and crosses the same, and samples are not all alike', () => {
    assert.deepEqual(draw('once'), draw('once'));
    assert.deepEqual(members(), members());
    if (!isFixedSpace) assert.ok(new Set(draw('once').map(architectureKey)).size > 1, 'all samples are the same');
  });

  test('samples, mutants and children are members as `check` gives them, and frozen', () => {
    for (const one of members()) {
      assert.deepEqual(space.check(one), one);
      assert.ok(isDeeplyFrozen(one), `is not frozen: ${JSON.stringify(one)}`);
    }
  });

  test('members are plain JSON, whatever the order of their keys', () => {
    for (const one of members()) {
      const read = JSON.parse(JSON.stringify(one));
      assert.deepEqual(read, one);
      assert.deepEqual(space.check(turned(read)), one);
    }
  });

  test('two members have one key exactly when they are equal', () => {
    const texts = new Map<string, Architecture>();
    for (const one of members()) {
      const key = architectureKey(one);
      assert.deepEqual(texts.get(key) ?? one, one);
      assert.equal(architectureKey(space.check(turned(one))), key);
      texts.set(key, one);
    }
    const size = space.size?.();
    if (size !== undefined) assert.ok(BigInt(texts.size) <= size, `${texts.size} members were met of ${size}`);
  });

  test('the text of a member is one line that identifies it and is read back', () => {
    const keys = new Map<string, string>();
    for (const one of members()) {
      const text = space.format(one);
      assert.doesNotMatch(text, /[\r\n]/);
      assert.deepEqual(space.parse(text), one);
      assert.equal(keys.get(text) ?? architectureKey(one), architectureKey(one));
      keys.set(text, architectureKey(one));
    }
  });

  test('a mutation is another member', () => {
    if (isFixedSpace) return;
    for (const [i, one] of members().entries()) {
      const before = JSON.stringify(one);
      assert.notEqual(architectureKey(space.mutate(one, stream('mutation', i))), architectureKey(one));
      assert.equal(JSON.stringify(one), before);
    }
  });

  test('a child of a member and itself is that member', () => {
    for (const [i, one] of draw('child').entries())
      assert.deepEqual(space.crossover(one, one, stream('child', i)), one);
  });

  test('what is no member is refused with a UserError', () => {
    for (const found of [
      undefined,
      null,
      7,
      'text',
      [],
      { 'no such part': {} },
      { ...draw('refused')[0], more: [null] },
    ])
      assert.throws(() => space.check(found), UserError, `took ${JSON.stringify(found)}`);
    assert.throws(() => space.parse('no such=part'), UserError);
  });

  test('a network that is built has its choices made', () => {
    for (const one of members()) {
      const built = space.build?.(one);
      if (built === undefined) continue;
      assert.deepEqual(moduleFromJson(JSON.parse(JSON.stringify(built)), 'network', { resolved: true }), built);
      network(built);
    }
  });
  return rules;
}

/**
 * Checks that a search space keeps the rules on which strategies and studies rely: the same random stream gives the same members, every
 * member is frozen plain JSON, a mutation gives a different member, a text belongs to one member, `check` refuses everything else. Nothing
 * is trained. Throws Error, naming the rule, for the first rule that is broken.
 */
export async function checkSearchSpace(space: SearchSpace, options: CheckSearchSpaceOptions = {}): Promise<void> {
  for (const { title, check } of searchSpaceRules(space, options)) {
    try {
      await check();
    } catch (error) {
      throw new Error(`space "${space.name}" breaks the rule "${title}": ${messageOf(error)}`, { cause: error });
    }
  }
}

function isDeeplyFrozen(value: unknown): boolean {
  return (
    value === null ||
    typeof value !== 'object' ||
    (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen))
  );
}

/** The same object with its keys in the other order. */
function turned(architecture: Architecture): Architecture {
  return Object.fromEntries(Object.entries(architecture).reverse());
}
