import { messageOf, UserError } from '../common/errors.ts';
import { expectSame, expectThat } from '../common/expect.node.ts';
import { rng } from '../common/random.ts';
import { shownValue } from '../common/text.ts';
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
    expectSame(draw('once'), draw('once'), 'samples drawn again with the same random numbers');
    expectSame(members(), members(), 'mutations and children made again with the same random numbers');
    if (!isFixedSpace) expectThat(new Set(draw('once').map(architectureKey)).size > 1, 'not all samples are the same');
  });

  test('samples, mutants and children are members as `check` gives them, and frozen', () => {
    for (const one of members()) {
      expectSame(space.check(one), one, 'a member, as `check` returns it');
      expectThat(isDeeplyFrozen(one), `a member is frozen: ${shownValue(one)}`);
    }
  });

  test('members are plain JSON, whatever the order of their keys', () => {
    for (const one of members()) {
      const read = JSON.parse(JSON.stringify(one));
      expectSame(read, one, 'a member that was stored as JSON and read');
      expectSame(space.check(turned(read)), one, 'a member whose keys are in another order, as `check` returns it');
    }
  });

  test('two members have one key exactly when they are equal', () => {
    const texts = new Map<string, Architecture>();
    for (const one of members()) {
      const key = architectureKey(one);
      expectSame(texts.get(key) ?? one, one, 'a member with the same key (architectureKey) as another');
      expectSame(architectureKey(space.check(turned(one))), key, 'the key of a member whose keys are in another order');
      texts.set(key, one);
    }
    const size = space.size?.();
    if (size !== undefined)
      expectThat(
        BigInt(texts.size) <= size,
        `there are no more than ${size} members, as \`size\` says; ${texts.size} were met`,
      );
  });

  test('the text of a member is one line that identifies it and is read back', () => {
    const keys = new Map<string, string>();
    for (const one of members()) {
      const text = space.format(one);
      expectThat(!/[\r\n]/.test(text), `the text of a member is one line, not ${shownValue(text)}`);
      expectSame(space.parse(text), one, `the member that \`parse\` reads of ${shownValue(text)}`);
      expectSame(
        keys.get(text) ?? architectureKey(one),
        architectureKey(one),
        `another member with the text ${shownValue(text)}`,
      );
      keys.set(text, architectureKey(one));
    }
  });

  test('a mutation is another member', () => {
    if (isFixedSpace) return;
    for (const [i, one] of members().entries()) {
      const before = JSON.stringify(one);
      expectThat(
        architectureKey(space.mutate(one, stream('mutation', i))) !== architectureKey(one),
        `\`mutate\` changes ${shownValue(one)}`,
      );
      expectSame(JSON.stringify(one), before, 'a member after it was mutated (it must not be changed in place)');
    }
  });

  test('a child of a member and itself is that member', () => {
    for (const [i, one] of draw('child').entries())
      expectSame(space.crossover(one, one, stream('child', i)), one, 'the child of a member and itself');
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
      expectRefused(() => space.check(found), `\`check\` refuses ${shownValue(found)} with a UserError`);
    expectRefused(() => space.parse('no such=part'), '`parse` refuses "no such=part" with a UserError');
  });

  test('a network that is built has its choices made', () => {
    for (const one of members()) {
      const built = space.build?.(one);
      if (built === undefined) continue;
      expectSame(
        moduleFromJson(JSON.parse(JSON.stringify(built)), 'network', { resolved: true }),
        built,
        'a network that was stored as JSON and read',
      );
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

function expectRefused(body: () => unknown, what: string): void {
  let found: string;
  try {
    found = `it returns ${shownValue(body())}`;
  } catch (error) {
    if (error instanceof UserError) return;
    found = `it throws ${String(error)}`;
  }
  expectThat(false, `${what}; ${found}`);
}
