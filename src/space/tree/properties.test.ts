import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { rng } from '../../common/random.ts';
import type { Architecture, Space } from '../space.ts';
import { checkArchitecture, formatArchitecture, parseArchitecture } from './architecture.ts';
import { chooseAll } from './choose.ts';
import { count } from './count.ts';
import { decided, decisions, isActive } from './decisions.ts';
import { equalValues, inDomain, sampleValue } from './domain.ts';
import { encodeOneHot } from './encode.ts';
import { first, successor } from './enumerate.ts';
import { spaceFromJson, spaceToJson } from './json.ts';
import { resolve, resolveHyperparameters } from './resolve.ts';
import { spaceArbitrary } from './testing/spaces.ts';
import { crossover, mutate, neighbors, sample } from './vary.ts';
import { complete } from './walk.ts';

/** Runs over generated spaces, each with a seed. */
function forSpaces(body: (space: Space, seed: number) => void, options?: { continuous: boolean }): void {
  fc.assert(
    fc.property(spaceArbitrary(options), fc.nat(), (space, seed) => body(space, seed)),
    { numRuns: 200, seed: 7 },
  );
}

/** The decisions active in both whose values differ. */
function changed(a: Architecture, b: Architecture): readonly string[] {
  return Object.keys(a).filter((name) => {
    const [va, vb] = [decided(a, name), decided(b, name)];
    return va !== undefined && vb !== undefined && !equalValues(va, vb);
  });
}

test('a sample is a member: its decisions are exactly those whose conditions hold, inside their domains', () => {
  forSpaces((space, seed) => {
    const architecture = sample(space, rng(seed));
    const active = decisions(space).filter((decision) => isActive(decision, architecture));
    assert.deepEqual(Object.keys(architecture).toSorted(), active.map(({ name }) => name).toSorted());
    for (const { name, domain } of active) assert.ok(inDomain(domain, architecture[name]), name);
    assert.deepEqual(checkArchitecture(space, JSON.parse(JSON.stringify(architecture))), architecture);
  });
});

test('the same seed gives the same sample', () => {
  forSpaces((space, seed) => assert.deepEqual(sample(space, rng(seed)), sample(space, rng(seed))));
});

test('an architecture chosen without the tree is that of the walk, its decisions asked in the same order', () => {
  forSpaces((space, seed) => {
    const draw = (make: typeof chooseAll): readonly (readonly [string, unknown])[] => {
      const stream = rng(seed);
      return Object.entries(make(space, (_, domain) => sampleValue(domain, stream)));
    };
    assert.deepEqual(
      draw(chooseAll),
      draw((given, choose) => complete(given, choose).architecture),
    );
  });
});

test('text and JSON are read back as the architecture that was written', () => {
  forSpaces((space, seed) => {
    const architecture = sample(space, rng(seed));
    const text = formatArchitecture(space, architecture);
    assert.deepEqual(parseArchitecture(space, text), architecture);
    assert.equal(formatArchitecture(space, parseArchitecture(space, text)), text);
    assert.deepEqual(parseArchitecture(space, JSON.stringify(architecture)), architecture);
    const backwards = Object.fromEntries(Object.entries(architecture).toReversed());
    assert.equal(formatArchitecture(space, backwards), text);
  });
});

test('a space is read back from JSON as it was', () => {
  forSpaces((space, seed) => {
    const read = spaceFromJson(JSON.parse(JSON.stringify(spaceToJson(space))));
    assert.deepEqual(read, space);
    assert.deepEqual(sample(read, rng(seed)), sample(space, rng(seed)));
  });
});

test('a mutation changes exactly one decision and is a member', () => {
  forSpaces((space, seed) => {
    fc.pre(decisions(space).length > 0);
    const parent = sample(space, rng(seed, 'parent'));
    const child = mutate(space, parent, rng(seed, 'child'));
    assert.equal(changed(parent, child).length, 1);
    assert.deepEqual(checkArchitecture(space, child), child);
  });
});

test('neighbors are different members that differ from the architecture in exactly one decision', () => {
  forSpaces((space, seed) => {
    const architecture = sample(space, rng(seed));
    const near = neighbors(space, architecture);
    assert.equal(new Set(near.map((one) => JSON.stringify(one))).size, near.length);
    assert.ok(near.length >= Object.keys(architecture).length);
    for (const one of near) {
      assert.equal(changed(architecture, one).length, 1);
      assert.deepEqual(checkArchitecture(space, one), one);
    }
  });
});

test('a crossover takes each value from a parent that has it', () => {
  forSpaces((space, seed) => {
    const [a, b] = [sample(space, rng(seed, 'a')), sample(space, rng(seed, 'b'))];
    const child = crossover(space, a, b, rng(seed, 'child'));
    assert.deepEqual(checkArchitecture(space, child), child);
    for (const name of Object.keys(child)) {
      const value = decided(child, name) ?? '';
      const inherited = [decided(a, name), decided(b, name)].filter((one) => one !== undefined);
      assert.ok(inherited.length === 0 || inherited.some((one) => equalValues(one, value)), name);
    }
  });
});

test('the successor visits as many different members as the space counts', () => {
  let enumerated = 0;
  forSpaces(
    (space) => {
      const size = count(space);
      assert.ok(size !== undefined && size >= 1n);
      if (size > 1500n) return;
      enumerated++;
      const seen = new Set<string>();
      for (let one: Architecture | undefined = first(space); one; one = successor(space, one)) {
        seen.add(JSON.stringify(checkArchitecture(space, one)));
        assert.ok(seen.size <= size);
      }
      assert.equal(BigInt(seen.size), size);
    },
    { continuous: false },
  );
  assert.ok(enumerated > 100, `${enumerated} spaces were small enough`);
});

test('a resolved network has nothing left to decide', () => {
  forSpaces((space, seed) => {
    const architecture = sample(space, rng(seed));
    const root = resolve(space, architecture);
    for (const { domain } of decisions({ root, hyperparameters: {} })) {
      assert.ok(domain.kind === 'values' && domain.values.length === 1);
    }
    assert.ok(!JSON.stringify(root).includes('"kind":"scope"'));
    for (const value of Object.values(resolveHyperparameters(space, architecture))) {
      assert.ok(typeof value === 'number' || typeof value === 'string');
    }
  });
});

test('one-hot encodings of a space have one length and lie in [0, 1]', () => {
  forSpaces((space, seed) => {
    const [a, b] = [0, 1].map((i) => encodeOneHot(space, sample(space, rng(seed, i))));
    assert.equal(a?.length, b?.length);
    assert.ok(a?.every((v) => v >= 0 && v <= 1));
  });
});
