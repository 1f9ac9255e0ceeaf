/** Architectures from chance and from other architectures. All results are checked members of the space, frozen. */
import { invalid } from '../../common/errors.ts';
import type { Rng } from '../../common/random.ts';
import type { Architecture, DecisionValue, Domain, Space, TreeArchitecture } from '../space.ts';
import { chooseAll } from './choose.ts';
import { decided } from './decisions.ts';
import { firstValue, nearValues, otherValue, sampleValue } from './domain.ts';

/** Every active decision uniformly (a range: on its scale), in the order of the walk. */
export function sample(space: Space, rng: Rng): TreeArchitecture {
  return chooseAll(space, (_, domain) => sampleValue(domain, rng));
}

/**
 * Changes one active decision, drawn uniformly, to another value. Decisions that this activates are sampled, those it
 * makes inactive go. Throws UserError for a space without decisions.
 */
export function mutate(space: Space, architecture: Architecture, rng: Rng): TreeArchitecture {
  const active = activeDecisions(space, architecture);
  if (active.length === 0) throw invalid(`space "${space.name}"`, 'has no decisions', 'a mutation needs one to change');
  const [name, domain] = rng.pick(active);
  const changed = otherValue(domain, decided(architecture, name) as DecisionValue, rng);
  return withDecision(space, architecture, name, changed, (one) => sampleValue(one, rng));
}

/**
 * Uniform crossover: each active decision from one of the parents, drawn evenly, or from the only one in which it is
 * active; one that is active in neither is sampled.
 */
export function crossover(space: Space, a: Architecture, b: Architecture, rng: Rng): TreeArchitecture {
  return chooseAll(space, (name, domain) => {
    const values = [decided(a, name), decided(b, name)].filter((value) => value !== undefined);
    if (values.length === 2) return rng.pick(values);
    return values[0] ?? sampleValue(domain, rng);
  });
}

/**
 * All architectures that differ in one active decision: any other value of a list; of inputs, one exchanged; of a range,
 * a tenth of it up and down. Decisions that the change activates take their first value (a range: its least).
 */
export function neighbors(space: Space, architecture: Architecture): readonly Architecture[] {
  return activeDecisions(space, architecture).flatMap(([name, domain]) =>
    nearValues(domain, decided(architecture, name) as DecisionValue).map((value) =>
      withDecision(space, architecture, name, value, firstValue),
    ),
  );
}

/** The decisions that are active in an architecture, with their domains, in the order of the walk. */
export function activeDecisions(space: Space, architecture: Architecture): readonly (readonly [string, Domain])[] {
  const active: [string, Domain][] = [];
  chooseAll(space, (name, domain) => {
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
  return chooseAll(space, choose);
}
