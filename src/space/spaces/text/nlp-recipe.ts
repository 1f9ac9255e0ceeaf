/**
 * Recurrent cells as NAS-Bench-NLP has them (Klyuchnikov et al. 2022, arXiv:2006.07116): the published recipes, which are JSON of nodes by
 * name, one form for each cell, and its text, `h_new_0=tanh(a) a=linear(h_prev_0,x)`.
 */
import { invalid, messageOf, UserError } from '../../../common/errors.ts';
import { deepFreeze } from '../../../common/json.ts';
import type { RecurrentNode } from '../../tree/module.ts';
import { AFTER, checkRecurrentNodes, computationOrder, stateIn, statesOf } from '../../tree/recurrent-graph.ts';

/** A member: its nodes in one form (`recipeOf`). */
export type Recipe = { readonly nodes: readonly RecipeNode[] };

type RecipeNode = { readonly name: string; readonly op: RecurrentNode['op']; readonly from: readonly string[] };

/** The published names of operations. */
const PUBLISHED: Readonly<Record<string, RecurrentNode['op']>> = {
  linear: 'linear',
  blend: 'blend',
  elementwise_sum: 'sum',
  elementwise_prod: 'product',
  activation_tanh: 'tanh',
  activation_sigm: 'sigmoid',
  activation_leaky_relu: 'leakyRelu',
};

/** Operations whose inputs may change places. */
const COMMUTATIVE: ReadonlySet<RecurrentNode['op']> = new Set(['linear', 'sum', 'product']);

/**
 * Nodes as a frozen member in one form: nodes that no state needs are left out, others are named n0, n1, ... in the order in which they are
 * computed, the states first come first, and inputs that may change places are in the order of what they compute. So cells that differ
 * in names and order alone are one member. (Nodes that compute alike of other weights, as the gates of an LSTM do, keep the order that
 * they have, so that few equal cells are two members.) Throws UserError, with `place`, for nodes that are no cell, more than `most` of them,
 * or a cell that does not read x.
 */
export function recipeOf(found: unknown, most: number, place: string): Recipe {
  try {
    checkRecurrentNodes(found);
  } catch (error) {
    throw new UserError(`${place}: ${messageOf(error)}`);
  }
  const byName = new Map(found.map((node) => [node.name, node]));
  const terms = termsOf(found);
  const sorted = ({ op, from }: RecurrentNode) =>
    COMMUTATIVE.has(op) ? from.toSorted((a, b) => compare(terms.get(a) ?? a, terms.get(b) ?? b)) : from;
  const nodes: RecipeNode[] = [];
  const named = new Map<string, string>();
  const visit = (name: string): string => {
    const [node, known] = [byName.get(name), named.get(name)];
    if (node === undefined || known !== undefined) return known ?? name;
    const from = sorted(node).map(visit);
    const own = stateIn(name, AFTER) === undefined ? `n${nodes.length}` : name;
    named.set(name, own);
    nodes.push({ name: own, op: node.op, from });
    return own;
  };
  for (let k = 0; k < statesOf(found); k++) visit(`${AFTER}${k}`);
  if (!nodes.some(({ from }) => from.includes('x'))) throw invalid(place, 'the cell does not read x', 'one node must');
  if (nodes.length > most) throw invalid(place, `the cell has ${nodes.length} nodes`, `may have up to ${most}`);
  return deepFreeze({ nodes });
}

/** What each node computes, as one expression of x and the states. */
function termsOf(nodes: readonly RecurrentNode[]): ReadonlyMap<string, string> {
  const terms = new Map<string, string>();
  for (const { name, op, from } of computationOrder(nodes) ?? []) {
    const inputs = from.map((one) => terms.get(one) ?? one);
    terms.set(name, `${op}(${(COMMUTATIVE.has(op) ? inputs.toSorted(compare) : inputs).join()})`);
  }
  return terms;
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The expressions of all nodes: what cells have in common. */
export const expressionsOf = ({ nodes }: Recipe): ReadonlySet<string> => new Set(termsOf(nodes).values());

export const formatRecipe = ({ nodes }: Recipe): string =>
  nodes.map(({ name, op, from }) => `${name}=${op}(${from.join(',')})`).join(' ');

/** The longest text that is read; those of the published cells have 400 characters at most. */
const MOST_CHARACTERS = 20_000;

/** Reads what `formatRecipe` wrote, as nodes that are still to be checked. Throws UserError with the place in the text. */
export function parseRecipe(text: string, place: string): unknown {
  if (text.length > MOST_CHARACTERS)
    throw invalid(place, `has ${text.length} characters`, `at most ${MOST_CHARACTERS} are read`);
  return text
    .trim()
    .split(/\s+/u)
    .map((part, i) => {
      const [, name, op, inputs] = /^(\w+)=(\w+)\(([\w,]*)\)$/u.exec(part) ?? [];
      if (name === undefined || op === undefined || inputs === undefined)
        throw invalid(place, `part ${i + 1} is "${part.slice(0, 60)}"`, 'must be NODE=OPERATION(INPUT,...)');
      return { name, op, from: inputs.split(',') };
    });
}

/** The nodes of a published recipe, an object of nodes by name, still to be checked. Throws UserError for an operation that is not known. */
export function publishedNodes(recipe: object, place: string): unknown {
  return Object.entries(recipe).map(([name, node]: [string, unknown]) => {
    const { op, input } = (typeof node === 'object' && node !== null ? node : {}) as Readonly<Record<string, unknown>>;
    const known = typeof op === 'string' && Object.hasOwn(PUBLISHED, op) ? PUBLISHED[op] : undefined;
    if (known === undefined) {
      const found = `op of ${name} is ${JSON.stringify(op)}`;
      throw invalid(place, found, `must be one of ${Object.keys(PUBLISHED).join(', ')}`);
    }
    return { name, op: known, from: input };
  });
}
