/** Random cells of NAS-Bench-NLP, and the moves between them. What is drawn is plain nodes: `recipeOf` gives them their form, or refuses them. */
import type { Rng } from '../../../common/random.ts';
import type { RecurrentNode } from '../../tree/module.ts';
import { AFTER, BEFORE, CELL_INPUT, computationOrder, statesOf } from '../../tree/recurrent-graph.ts';
import type { Recipe } from './nlp-recipe.ts';

const ACTIVATIONS = ['tanh', 'sigmoid', 'leakyRelu'] as const;
/** Of the published cells, half have one state, 2 of 5 have two. */
const STATES = [1, 1, 1, 1, 2, 2, 2, 3] as const;
/** Shares of operations in the published cells: linear, activation, sum or product, blend. */
const [LINEAR, ACTIVATION, PAIR] = [0.45, 0.45, 0.07];
const MOST_DRAWN = 10;

/** An operation on some of the values; `numbers` are those without x. */
function draw(name: string, numbers: readonly string[], rng: Rng): RecurrentNode {
  const kind = rng.float();
  const some = (count: number) => rng.shuffle(numbers).slice(0, count);
  if (kind < LINEAR || numbers.length < 2) {
    const others = some(rng.float() < 0.2 ? 2 : 1);
    const from = others.length === 1 || rng.float() < 0.7 ? [CELL_INPUT, ...others] : others;
    return { name, op: 'linear', from };
  }
  if (kind < LINEAR + ACTIVATION) return { name, op: rng.pick(ACTIVATIONS), from: some(1) };
  if (kind < LINEAR + ACTIVATION + PAIR || numbers.length < 3)
    return { name, op: rng.pick(['sum', 'product'] as const), from: some(2) };
  return { name, op: 'blend', from: some(3) };
}

/**
 * Nodes at random: 1 to 3 states, 1 to 10 nodes besides, each of earlier ones, operations about as often as among the published cells. A
 * state is an activation or another operation of late nodes.
 */
export function randomNodes(rng: Rng): readonly RecurrentNode[] {
  const states = rng.pick(STATES);
  const numbers = Array.from({ length: states }, (_, k) => `${BEFORE}${k}`);
  const nodes: RecurrentNode[] = [];
  const push = (node: RecurrentNode) => {
    nodes.push(node);
    numbers.push(node.name);
  };
  push({ name: 'a0', op: 'linear', from: [CELL_INPUT, ...numbers] });
  const count = states + rng.int(MOST_DRAWN - states);
  for (let i = 1; i < count; i++) {
    // Late values are read more often, so that few nodes are for nothing.
    const late = rng.float() < 0.6 ? numbers.slice(-3) : numbers;
    push(draw(`a${i}`, late, rng));
  }
  for (let k = 0; k < states; k++)
    nodes.push({ name: `${AFTER}${k}`, op: rng.pick(ACTIVATIONS), from: [numbers.at(-1 - k) ?? 'a0'] });
  return nodes;
}

/** The nodes changed in one place: another operation, another input, a node more, or a node less. May be no cell, or the same. */
export function changedNodes({ nodes }: Recipe, rng: Rng): readonly RecurrentNode[] {
  const at = rng.int(nodes.length);
  const node = nodes[at] as RecurrentNode;
  const replaced = (change: Partial<RecurrentNode>) => nodes.map((one) => (one === node ? { ...one, ...change } : one));
  const states = Array.from({ length: statesOf(nodes) }, (_, k) => `${BEFORE}${k}`);
  const earlier = nodes.slice(0, at).map(({ name }) => name);
  const input = rng.int(node.from.length);
  const old = node.from[input] ?? CELL_INPUT;
  switch (rng.int(4)) {
    case 0: {
      const alike = node.from.length === 1 ? ACTIVATIONS : (['linear', 'sum', 'product'] as const);
      return replaced({ op: rng.pick(alike) });
    }
    case 1: {
      const values = [...(node.op === 'linear' ? [CELL_INPUT] : []), ...states, ...earlier];
      return replaced({ from: node.from.with(input, rng.pick(values)) });
    }
    case 2: {
      const numbers = old === CELL_INPUT ? [...states, ...earlier] : [old];
      const added: RecurrentNode =
        old === CELL_INPUT || rng.float() < 0.5
          ? { name: 'added', op: 'linear', from: [CELL_INPUT, rng.pick(numbers)] }
          : { name: 'added', op: rng.pick(ACTIVATIONS), from: [old] };
      return [...nodes.slice(0, at), added, ...replaced({ from: node.from.with(input, 'added') }).slice(at)];
    }
    default: {
      // What read the node reads one of its inputs; a state takes the place of the node that it reads.
      const isState = node.name.startsWith(AFTER);
      const target = isState ? nodes.find(({ name }) => name === old) : node;
      if (target === undefined || target.name.startsWith(AFTER)) return nodes;
      if (isState) return nodes.map((one) => (one === node ? { ...target, name: node.name } : one));
      return nodes
        .filter((one) => one !== node)
        .map((one) => ({ ...one, from: one.from.map((name) => (name === node.name ? old : name)) }));
    }
  }
}

/** The first cell with a node of the second, and all that this needs, in the place of one of its own. May be no cell. */
export function crossedNodes(first: Recipe, second: Recipe, rng: Rng): readonly RecurrentNode[] {
  const states = statesOf(first.nodes);
  const fits = (node: RecurrentNode) =>
    node.from.every((name) => !name.startsWith(BEFORE) || Number(name.slice(BEFORE.length)) < states);
  const given = (computationOrder(second.nodes) ?? []).map((node) => ({
    name: `b_${node.name}`,
    op: node.op,
    from: node.from.map((name) => (name === CELL_INPUT || name.startsWith(BEFORE) ? name : `b_${name}`)),
  }));
  const taken = rng.pick(given);
  const place = rng.pick(first.nodes);
  if (!given.every(fits)) return first.nodes;
  return [
    ...given,
    ...first.nodes.map((node) => (node === place ? { ...node, op: taken.op, from: taken.from } : node)),
  ];
}
