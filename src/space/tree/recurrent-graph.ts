/** The rules of `recurrentGraph`: what its nodes may be, in which order they are computed, and what they carry. */
import { UserError } from '../../common/errors.ts';
import type { RecurrentNode } from './module.ts';

/** The fewest and the most inputs of each operation. */
export const RECURRENT_OPERATIONS = {
  linear: [1, 8],
  sum: [2, 8],
  product: [2, 8],
  blend: [3, 3],
  tanh: [1, 1],
  sigmoid: [1, 1],
  leakyRelu: [1, 1],
} as const satisfies Readonly<Record<RecurrentNode['op'], readonly [number, number]>>;

/** What the cell reads at a time step. */
export const CELL_INPUT = 'x';
/** The state k before the step, and the node that is the state after it. */
export const [BEFORE, AFTER] = ['h_prev_', 'h_new_'] as const;

const MOST_NODES = 200;
const MOST_STATES = 16;

/** The number of a state of which the name is, `h_prev_2` or `h_new_2`; undefined: it is no such name. */
export function stateIn(name: string, prefix: typeof BEFORE | typeof AFTER): number | undefined {
  const number = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^(?:0|[1-9]\d?)$/u.test(number) ? Number(number) : undefined;
}

/** How many states the nodes make. */
export const statesOf = (nodes: readonly RecurrentNode[]): number =>
  nodes.filter(({ name }) => stateIn(name, AFTER) !== undefined).length;

/** The nodes in an order in which each follows those that it reads; undefined where there is none. */
export function computationOrder(nodes: readonly RecurrentNode[]): readonly RecurrentNode[] | undefined {
  const names = new Set(nodes.map(({ name }) => name));
  const done = new Set<string>();
  const order: RecurrentNode[] = [];
  let left = nodes;
  while (left.length > 0) {
    const ready = left.filter(({ from }) => from.every((one) => !names.has(one) || done.has(one)));
    if (ready.length === 0) return undefined;
    for (const node of ready) done.add(node.name);
    order.push(...ready);
    left = left.filter(({ name }) => !done.has(name));
  }
  return order;
}

/**
 * Plain data as the nodes of a cell. Throws UserError, without a place, for what is none: nodes have different names, known operations
 * with as many inputs as these take, and read x, states or other nodes, in no circle. Only `linear` reads x, which has another size. The nodes
 * h_new_0 to h_new_S−1 are the next states, and the states h_prev_0 to h_prev_S−1 may be read.
 */
export function checkRecurrentNodes(found: unknown): asserts found is readonly RecurrentNode[] {
  if (!Array.isArray(found) || found.length === 0 || found.length > MOST_NODES)
    throw new UserError(`nodes are ${shown(found)}; must be a list of 1 to ${MOST_NODES}`);
  const nodes: readonly unknown[] = found;
  const known: RecurrentNode[] = nodes.map((node, i) => checkNode(node, i));
  const names = new Set(known.map(({ name }) => name));
  if (names.size < known.length) throw new UserError('two nodes have one name; names must differ');
  const states = statesOf(known);
  for (let k = 0; k < Math.max(1, states); k++)
    if (!names.has(`${AFTER}${k}`)) throw new UserError(`there is no node ${AFTER}${k}; states are numbered from 0`);
  if (states > MOST_STATES) throw new UserError(`there are ${states} states; may be up to ${MOST_STATES}`);
  for (const { name, op, from } of known)
    for (const one of from) {
      if (one === CELL_INPUT && op !== 'linear')
        throw new UserError(`node ${name} (${op}) reads x; only linear does, as x may have another size`);
      const state = stateIn(one, BEFORE);
      const isThere = one === CELL_INPUT || names.has(one) || (state !== undefined && state < states);
      if (!isThere) throw new UserError(`node ${name} reads "${one}"; must be x, a state or a node`);
    }
  if (computationOrder(known) === undefined) throw new UserError('nodes read one another in a circle; must be a dag');
}

function checkNode(node: unknown, i: number): RecurrentNode {
  if (typeof node !== 'object' || node === null)
    throw new UserError(`nodes[${i}] is ${shown(node)}; must be an object`);
  const { name, op, from, ...others } = node as Readonly<Record<string, unknown>>;
  const [other] = Object.keys(others);
  if (other !== undefined) throw new UserError(`nodes[${i}] has a field "${other}"; may have name, op and from`);
  if (
    typeof name !== 'string' ||
    !/^[A-Za-z]\w{0,63}$/u.test(name) ||
    name === CELL_INPUT ||
    stateIn(name, BEFORE) !== undefined
  )
    throw new UserError(`name of nodes[${i}] is ${shown(name)}; must be a word, neither x nor a state before the step`);
  if (typeof op !== 'string' || !Object.hasOwn(RECURRENT_OPERATIONS, op))
    throw new UserError(
      `op of node ${name} is ${shown(op)}; must be one of ${Object.keys(RECURRENT_OPERATIONS).join(', ')}`,
    );
  const operation = op as RecurrentNode['op'];
  const [fewest, most] = RECURRENT_OPERATIONS[operation];
  const isList = Array.isArray(from) && from.every((one) => typeof one === 'string');
  if (!isList || from.length < fewest || from.length > most)
    throw new UserError(
      `from of node ${name} is ${shown(from)}; ${op} reads ${fewest === most ? fewest : `${fewest} to ${most}`}`,
    );
  return { name, op: operation, from };
}

function shown(found: unknown): string {
  const text = JSON.stringify(found) ?? String(found);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
