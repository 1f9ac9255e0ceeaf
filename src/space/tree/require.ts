import { invalid } from '../../common/errors.ts';
import { rng } from '../../common/random.ts';
import type { Decision, DecisionValue, Domain, Membership, OpenTree, Space, TreeArchitecture } from '../space.ts';
import { architectureKey } from './architecture.ts';
import { chooseRaw, settled } from './choose.ts';
import { count } from './count.ts';
import { decided, decisions } from './decisions.ts';
import { firstValue, nodesOf, parseValue } from './domain.ts';
import { hasWord, isOption, type Named, without } from './narrow.ts';
import { sampleDecisions } from './vary.ts';

/** A repair gives up after `TRIES` changes. After every `STEPS` changes it starts from a new random architecture. */
const TRIES = 2000;
const STEPS = 20;
/** More required options are not counted: each doubles the work. */
const MOST_COUNTED = 8;

/** The rule that each of these options is taken by at least one decision, beside the rules that the space has. */
export function requiring(items: readonly Named[], inner: Membership | undefined): Membership {
  const counts = (architecture: TreeArchitecture, name: string) => inner?.counts?.(architecture, name) ?? true;
  const isTaken = (item: Named, architecture: TreeArchitecture) =>
    Object.entries(architecture).some(
      ([name, value]) => isMeant(item, name, value) && takes(value, item.option) && counts(architecture, name),
    );
  const missing = (architecture: TreeArchitecture) => items.find((item) => !isTaken(item, architecture));
  const canonical: Membership['canonical'] = (architecture, tree) =>
    inner?.canonical(architecture, tree) ?? architecture;
  return {
    ...inner,
    canonical,
    refusal(architecture, tree) {
      const before = inner?.refusal(architecture, tree);
      if (before !== undefined) return before;
      const item = missing(canonical(architecture, tree));
      return item && { found: `takes no "${item.text}"`, rule: 'it is required (--require)' };
    },
    /** A decision takes what is missing, then another one, until nothing is; now and then it begins with a new draw. */
    repair(architecture, tree) {
      const open = withMembership(tree, inner);
      const random = rng('require', architectureKey(architecture));
      let now = settled(open, architecture);
      for (let attempt = 1; attempt <= TRIES; attempt++) {
        const item = missing(now);
        if (item === undefined) return now;
        const able = decisions(tree).filter(
          ({ name, domain }) => decided(now, name) !== undefined && counts(now, name) && canTake(item, name, domain),
        );
        const before = now;
        const one = able.length === 0 || attempt % STEPS === 0 ? undefined : random.pick(able);
        now = one === undefined ? sampleDecisions(open, random) : chooseAfter(open, before, one, item.option);
      }
      const texts = items.map(({ text }) => `"${text}"`).join(', ');
      throw invalid('--require', texts, 'no architecture was found that keeps all constraints');
    },
    /** Of spaces without rules of their own: by inclusion and exclusion of the architectures that lack some of the options. */
    size(space) {
      if (inner !== undefined || items.length > MOST_COUNTED) return undefined;
      let total = 0n;
      for (let set = 0; set < 2 ** items.length; set++) {
        const lacking = items.filter((_, i) => set & (1 << i));
        const size = count(lackingAll(space, lacking));
        if (size === undefined) return undefined;
        total += lacking.length % 2 === 0 ? size : -size;
      }
      return total;
    },
  };
}

/** An option that is named alone is a word. */
const isMeant = ({ decision }: Named, name: string, value: DecisionValue) =>
  decision === undefined ? typeof value === 'string' : decision === name;
const takes = (value: DecisionValue, option: string) =>
  Array.isArray(value) ? value.map(String).includes(option) : String(value) === option;

const canTake = ({ decision, option }: Named, name: string, domain: Domain) =>
  decision === undefined ? hasWord(domain, option) : decision === name && isOption(domain, option);

function chooseAfter(
  tree: OpenTree,
  before: TreeArchitecture,
  { name, domain }: Decision,
  option: string,
): TreeArchitecture {
  const value = domain.kind === 'inputs' ? reading(domain, Number(option)) : parseValue(domain, option);
  const choose = (one: string, of: Domain) => (one === name ? value : decided(before, one)) ?? firstValue(of);
  return settled(tree, chooseRaw(tree, choose));
}

/** The first inputs, this one among them. */
function reading(domain: Extract<Domain, { kind: 'inputs' }>, node: number): readonly number[] {
  const others = nodesOf(domain).filter((one) => one !== node);
  return [node, ...others.slice(0, domain.count - 1)].sort((a, b) => a - b);
}

/** Returns the same object for the same tree, because caches are keyed by that object. */
const known = new WeakMap<OpenTree, OpenTree>();

function withMembership(tree: OpenTree, membership: Membership | undefined): OpenTree {
  const found = known.get(tree);
  if (found !== undefined) return found;
  const { membership: _, ...plain } = tree;
  const made: OpenTree = Object.freeze(membership === undefined ? plain : { ...plain, membership });
  known.set(tree, made);
  return made;
}

function lackingAll(space: Space, items: readonly Named[]): Space {
  const { membership: _, domains = {}, ...plain } = space;
  const left = Object.entries(domains).map(([name, domain]) => {
    const lost = items.filter((item) => canTake(item, name, domain));
    return [name, lost.reduce((now, { option }) => without(now, option) ?? now, domain)] as const;
  });
  return Object.freeze({ ...plain, domains: Object.freeze(Object.fromEntries(left)) });
}
