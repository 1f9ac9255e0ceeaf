import type { Rng } from '../common/random.ts';
import { checkArchitecture, formatArchitecture, parseArchitecture } from './architecture.ts';
import { count } from './count.ts';
import { decisions } from './decisions.ts';
import type { Module } from './module.ts';
import { resolve, resolveHyperparameters } from './resolve.ts';
import type { Architecture, Space } from './space.ts';
import { crossover, mutate, sample } from './vary.ts';

/**
 * Pillar 1 as a contract: a set of architectures, and how to move in it. A strategy or a study that asks for no more than this
 * works on every space: on a tree with choices left open (`Space`, made one by `searchSpaceOf`), and on a space without end or without
 * decisions, such as a network that grows.
 *
 * An architecture is a plain JSON object, so that a study can store it; two are the same when their JSON is, in whatever order
 * (`architectureKey`). All methods are pure: what they return depends on their arguments and the random stream alone, is a checked
 * member of the space, and shares nothing that anyone may change (it is frozen). `checkSearchSpace` says whether a space keeps
 * these rules.
 */
export interface SearchSpace {
  /** Stands in messages and reports. */
  readonly name: string;
  /** A random member. A space that grows begins small. */
  sample(rng: Rng): Architecture;
  /** Plain data as a member, frozen. Throws UserError with the place, the value and the rule where it is none. */
  check(found: unknown): Architecture;
  /** Another member near this one. Throws UserError where there is only one. */
  mutate(architecture: Architecture, rng: Rng): Architecture;
  /** A member with something of both; of a member and itself, that member. */
  crossover(a: Architecture, b: Architecture, rng: Rng): Architecture;
  /** The member as one line of text, the same for equal members. */
  format(architecture: Architecture): string;
  /** What `format` wrote, or JSON. Throws UserError with the place in the text. */
  parse(text: string): Architecture;
  /** How many members there are; undefined: without end, or not counted. */
  size?(): bigint | undefined;
  /**
   * The network that a member stands for, whose weights are trained. A space whose members are complete without training (weights,
   * rules, a program) has no such method: its members are judged by a function of the user's own.
   */
  build?(architecture: Architecture): Module;
  /** The training settings that a member decides, by name; they take the place of the study's own. */
  hyperparameters?(architecture: Architecture): Readonly<Record<string, number | string | boolean>>;
  /**
   * The space as a tree with choices left open, where it is one: what strategies need that model decisions one by one, and what
   * supernets, encodings, enumeration and proxies are made from.
   */
  readonly tree?: Space;
}

/** A tree with choices left open, by the contract. The same for the same tree: spaces are frozen. */
export function searchSpaceOf(tree: Space): SearchSpace {
  const known = made.get(tree);
  if (known !== undefined) return known;
  let size: { readonly members: bigint | undefined } | undefined;
  const space: SearchSpace = Object.freeze({
    name: tree.name,
    sample: (rng: Rng) => sample(tree, rng),
    check: (found: unknown) => checkArchitecture(tree, found),
    mutate: (architecture: Architecture, rng: Rng) => mutate(tree, architecture, rng),
    crossover: (a: Architecture, b: Architecture, rng: Rng) => crossover(tree, a, b, rng),
    format: (architecture: Architecture) => formatArchitecture(tree, architecture),
    parse: (text: string) => parseArchitecture(tree, text),
    size() {
      size ??= { members: count(tree) };
      return size.members;
    },
    build: (architecture: Architecture) => resolve(tree, architecture),
    hyperparameters: (architecture: Architecture) => resolveHyperparameters(tree, architecture),
    tree,
  });
  made.set(tree, space);
  return space;
}

const made = new WeakMap<Space, SearchSpace>();

/** Whether there is one member alone, which no mutation can change. */
export function isFixed({ tree, size }: Pick<SearchSpace, 'tree' | 'size'>): boolean {
  return tree === undefined ? size?.() === 1n : decisions(tree).length === 0;
}
