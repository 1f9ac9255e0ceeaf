/**
 * All architectures of a space in one fixed order: lexicographic by the decisions in the order of the walk, each value
 * in the order of its domain. As the values before a decision settle whether it is active, this is an odometer whose
 * later digits depend on the earlier ones: no architecture comes twice and none is left out.
 */
import { invalid } from '../../common/errors.ts';
import type { Architecture, DecisionValue, Space, TreeArchitecture } from '../space.ts';
import { architectureKey } from './architecture.ts';
import { chooseRaw, memberOf } from './choose.ts';
import { decided, decisions } from './decisions.ts';
import { firstValue, nextValue } from './domain.ts';
import { activeDecisions } from './vary.ts';

/** The first architecture. Throws UserError for a space with a continuous decision. */
export function first(space: Space): TreeArchitecture {
  refuseContinuous(space);
  const start = chooseRaw(space, (_, domain) => firstValue(domain));
  const member = isCanonical(space, start) ? start : successor(space, start);
  if (member === undefined) throw invalid(`space "${space.name}"`, 'has no members', 'there must be at least one');
  return member;
}

/** The architecture after this one; undefined after the last. Throws UserError for a space with a continuous decision. */
export function successor(space: Space, architecture: Architecture): TreeArchitecture | undefined {
  refuseContinuous(space);
  let next = following(space, architecture);
  while (next !== undefined && !isCanonical(space, next))
    next = following(space, next, space.membership?.deadEnd?.(next, space));
  return next;
}

/** Of the architectures that are the same network, the canonical one alone counts. */
function isCanonical(space: Space, architecture: TreeArchitecture): boolean {
  if (space.membership === undefined) return true;
  const member = memberOf(space, architecture);
  return member !== undefined && architectureKey(member) === architectureKey(architecture);
}

/** The next one in which `last` or a decision before it has another value; by default any decision. */
function following(space: Space, architecture: Architecture, last?: string): TreeArchitecture | undefined {
  const active = activeDecisions(space, architecture);
  const end = last === undefined ? active.length - 1 : active.findIndex(([name]) => name === last);
  for (let i = end; i >= 0; i--) {
    const [name, domain] = active[i] as (typeof active)[number];
    const next = nextValue(domain, decided(architecture, name) as DecisionValue);
    if (next === undefined) continue;
    const kept = new Map(
      active.slice(0, i).map(([earlier]) => [earlier, decided(architecture, earlier) as DecisionValue]),
    );
    kept.set(name, next);
    return chooseRaw(space, (one, ofOne) => kept.get(one) ?? firstValue(ofOne));
  }
  return undefined;
}

function refuseContinuous(space: Space): void {
  const continuous = decisions(space).find(({ domain }) => domain.kind === 'float');
  if (continuous) {
    throw invalid(
      `space "${space.name}"`,
      `decision "${continuous.name}" is a continuous range`,
      'only spaces of lists and whole numbers can be enumerated',
    );
  }
}
