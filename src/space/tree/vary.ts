/** Architectures from chance and from other architectures. All results are checked members of the space, frozen. */
import { invalid } from '../../common/errors.ts';
import type { Rng } from '../../common/random.ts';
import type { Architecture, DecisionValue, Domain, OpenTree, Space, TreeArchitecture } from '../space.ts';
import { architectureKey } from './architecture.ts';
import { chooseRaw, memberOf, settled } from './choose.ts';
import { decided } from './decisions.ts';
import { domainSize, firstValue, inDomain, nearValues, otherValue, sampleValue } from './domain.ts';

/** Draws before one that is no member is repaired, and before a mutation that changes nothing gives way to a sample. */
const TRIES = 200;

/** Decisions that a mutation changes at most. */
const MOST_CHANGES = 4;

/** Every active decision uniformly (a range: on its scale), in the order of the walk; drawn again where that is no member. */
export function sample(space: Space, rng: Rng): Architecture {
  return space.members === undefined ? sampleDecisions(space, rng) : space.members.sample(rng);
}

/** The same, of a tree. */
export function sampleDecisions(space: OpenTree, rng: Rng): TreeArchitecture {
  return drawn(space, () => chooseRaw(space, (_, domain) => sampleValue(domain, rng)));
}

function drawn(space: OpenTree, draw: () => TreeArchitecture): TreeArchitecture {
  let last = draw();
  for (let attempt = 1; ; attempt++) {
    const member = memberOf(space, last);
    if (member !== undefined) return member;
    if (attempt === TRIES) return settled(space, last);
    last = draw();
  }
}

/**
 * Changes one active decision, drawn uniformly, to another value. Decisions that this activates are sampled, those it
 * makes inactive go. Where that is the same network or no member, further decisions are changed. Throws UserError for a
 * space without decisions.
 */
export function mutate(space: Space, architecture: Architecture, rng: Rng): Architecture {
  if (space.members !== undefined) return space.members.mutate(architecture, rng);
  const active = activeDecisions(space, architecture).filter(([, domain]) => domainSize(domain) !== 1n);
  if (active.length === 0) throw invalid(`space "${space.name}"`, 'has no decisions', 'a mutation needs one to change');
  const change = (from: Architecture) => {
    const [name, domain] = rng.pick(active);
    const value = decided(from, name);
    // An earlier change may have made it inactive.
    if (value === undefined) return from as TreeArchitecture;
    return withDecision(space, from, name, otherValue(domain, value, rng), (one) => sampleValue(one, rng));
  };
  if (space.membership === undefined) return change(architecture);
  const key = architectureKey(architecture);
  let now = architecture;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    // What changes nothing, such as one of the two edges of a new vertex, is kept, and a further decision changed.
    const changed = change(attempt % MOST_CHANGES === 0 ? architecture : now);
    const member = memberOf(space, changed);
    if (member !== undefined && architectureKey(member) !== key) return member;
    now = changed;
  }
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const member = sampleDecisions(space, rng);
    if (architectureKey(member) !== key) return member;
  }
  throw invalid(`space "${space.name}"`, 'has no other member', 'a mutation needs one');
}

/**
 * Uniform crossover: each active decision from one of the parents, drawn evenly, or from the only one in which it is
 * active; one that is active in neither is sampled.
 */
export function crossover(space: Space, a: Architecture, b: Architecture, rng: Rng): Architecture {
  if (space.members !== undefined) return space.members.crossover(a, b, rng);
  const child = () =>
    chooseRaw(space, (name, domain) => {
      const values = [decided(a, name), decided(b, name)].filter((value) => value !== undefined);
      if (values.length === 2) return rng.pick(values);
      return values[0] ?? sampleValue(domain, rng);
    });
  return drawn(space, child);
}

/**
 * The member with each active decision as in the first of the architectures that has a value for it; sampled where none has. They may be
 * of other spaces: a value that the decision cannot have here is left out.
 */
export function combine(space: OpenTree, architectures: readonly Architecture[], rng: Rng): Architecture {
  const choose = (name: string, domain: Domain) =>
    architectures.map((one) => decided(one, name)).find((value) => value !== undefined && inDomain(domain, value)) ??
    sampleValue(domain, rng);
  return settled(space, chooseRaw(space, choose));
}

/**
 * All architectures that differ in one active decision: any other value of a list; of inputs, one exchanged; of a range,
 * a tenth of it up and down. Decisions that the change activates take their first value (a range: its least).
 */
export function neighbors(space: Space, architecture: Architecture): readonly Architecture[] {
  const changed = activeDecisions(space, architecture).flatMap(([name, domain]) =>
    nearValues(domain, decided(architecture, name) as DecisionValue).map((value) =>
      withDecision(space, architecture, name, value, firstValue),
    ),
  );
  if (space.membership === undefined) return changed;
  const others = new Map<string, Architecture>();
  for (const one of changed) {
    const member = memberOf(space, one);
    if (member !== undefined) others.set(architectureKey(member), member);
  }
  others.delete(architectureKey(architecture));
  return [...others.values()];
}

/** The decisions that are active in an architecture, with their domains, in the order of the walk. */
export function activeDecisions(space: Space, architecture: Architecture): readonly (readonly [string, Domain])[] {
  const active: [string, Domain][] = [];
  chooseRaw(space, (name, domain) => {
    active.push([name, domain]);
    return decided(architecture, name) as DecisionValue;
  });
  return active;
}

function withDecision(
  space: Space,
  architecture: Architecture,
  changed: string,
  value: DecisionValue,
  fresh: (domain: Domain) => DecisionValue,
): TreeArchitecture {
  const choose = (name: string, domain: Domain) =>
    name === changed ? value : (decided(architecture, name) ?? fresh(domain));
  return chooseRaw(space, choose);
}
