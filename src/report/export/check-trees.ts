/** A node of decision trees from an untrusted source, checked before ONNX Runtime builds the trees. */
import onnxProto from 'onnx-proto';
import { type FileNode, GraphError } from './graph-shapes.ts';
import { TREES, TREES_DOMAIN } from './trees.ts';

/** ONNX Runtime descends a tree by recursion, and a hostile one could be as deep as it has nodes. */
const MOST_DEPTH = 2000;
const MOST_NODES = 2 ** 24;

const refuse = (what: string): never => {
  throw new GraphError(what);
};

const BRANCHES = ['BRANCH_LEQ', 'BRANCH_GT'];

/** Each attribute once, in the type that an export has. */
const TYPES = {
  n_targets: 'INT',
  base_values: 'FLOATS',
  nodes_treeids: 'INTS',
  nodes_nodeids: 'INTS',
  nodes_modes: 'STRINGS',
  nodes_featureids: 'INTS',
  nodes_values: 'FLOATS',
  nodes_truenodeids: 'INTS',
  nodes_falsenodeids: 'INTS',
  nodes_missing_value_tracks_true: 'INTS',
  target_treeids: 'INTS',
  target_nodeids: 'INTS',
  target_ids: 'INTS',
  target_weights: 'FLOATS',
} as const;
type Name = keyof typeof TYPES;
type Ints = Extract<{ [N in Name]: (typeof TYPES)[N] extends 'INTS' ? N : never }[Name], Name>;

/**
 * The node with its sizes as whole numbers: `outputs`, `features` (the least width of its input) and `steps` (what a row goes through at
 * most in all trees). Throws GraphError unless every tree is one: nodes in order, children after their parent within the same tree,
 * and a leaf's value for one of the outputs.
 */
export function checkTrees({ domain, opType, input, output, attribute }: onnxProto.onnx.INodeProto): FileNode {
  if (domain !== TREES_DOMAIN || opType !== TREES) return refuse('needs operators beside those of exports');
  const found = new Map<string, onnxProto.onnx.IAttributeProto>();
  const { AttributeType } = onnxProto.onnx.AttributeProto;
  for (const one of attribute ?? []) {
    const name = one.name ?? '';
    const type = Object.hasOwn(TYPES, name) ? TYPES[name as Name] : undefined;
    if (type === undefined || found.has(name) || one.type !== AttributeType[type])
      return refuse('has an operator with a setting that no export of Netsmith has');
    found.set(name, one);
  }
  const attributeOf = (name: Name) => found.get(name) ?? refuse('has trees without all that belongs to them');
  const ints = (name: Ints, least: number, most: number): readonly number[] =>
    (attributeOf(name).ints ?? []).map((value) => {
      const number = typeof value === 'number' ? value : value.toNumber();
      return Number.isInteger(number) && number >= least && number <= most
        ? number
        : refuse('has an impossible number');
    });
  const floats = (name: Name): readonly number[] => attributeOf(name).floats ?? [];

  const outputs = Number(attributeOf('n_targets').i ?? 0);
  if (!Number.isInteger(outputs) || outputs < 1 || outputs > 100_000) return refuse('has an impossible number');
  if (floats('base_values').length !== outputs) return refuse('has trees without all that belongs to them');
  const trees = ints('nodes_treeids', 0, MOST_NODES);
  const numbers = ints('nodes_nodeids', 0, MOST_NODES);
  const features = ints('nodes_featureids', 0, 2 ** 26);
  const [yes, no] = [ints('nodes_truenodeids', 0, MOST_NODES), ints('nodes_falsenodeids', 0, MOST_NODES)];
  const missing = ints('nodes_missing_value_tracks_true', 0, 1);
  const modes = (attributeOf('nodes_modes').strings ?? []).map((mode) => new TextDecoder().decode(mode));
  const { length: count } = trees;
  const lists = [numbers, features, yes, no, missing, modes, floats('nodes_values')];
  if (count > MOST_NODES || lists.some(({ length }) => length !== count))
    return refuse('has trees without all that belongs to them');

  const roots: number[] = [];
  for (let i = 0; i < count; i++) {
    const begins = i === 0 || trees[i] !== trees[i - 1];
    if (begins) roots.push(i);
    if (trees[i] !== roots.length - 1 || numbers[i] !== i - (roots.at(-1) ?? 0))
      return refuse('has trees out of order');
  }
  const isLeaf = (i: number) => modes[i] === 'LEAF';
  const depth = new Int32Array(count);
  let steps = 0;
  for (const [t, root] of roots.entries()) {
    const end = roots[t + 1] ?? count;
    const reached = new Uint8Array(end - root);
    reached[0] = 1;
    for (let i = end - 1; i >= root; i--) {
      if (isLeaf(i)) continue;
      if (!BRANCHES.includes(modes[i] ?? '')) return refuse('has trees that ask what no export asks');
      const children = [root + (yes[i] ?? 0), root + (no[i] ?? 0)];
      for (const child of children) {
        if (child <= i || child >= end) return refuse('has trees that are none');
        reached[child - root] = 1;
        depth[i] = Math.max(depth[i] ?? 0, (depth[child] ?? 0) + 1);
      }
    }
    if (reached.includes(0)) return refuse('has trees that are none');
    if ((depth[root] ?? 0) > MOST_DEPTH) return refuse('has trees that are too deep');
    steps += depth[root] ?? 0;
  }

  const [ofTree, ofNode] = [ints('target_treeids', 0, count), ints('target_nodeids', 0, count)];
  const ids = ints('target_ids', 0, outputs - 1);
  if ([ofNode, ids, floats('target_weights')].some(({ length }) => length !== ofTree.length))
    return refuse('has trees without all that belongs to them');
  const valued = ofTree.map((tree, k) => {
    const node = (roots[tree] ?? Number.NaN) + (ofNode[k] ?? 0);
    return isLeaf(node) && trees[node] === tree ? node : refuse('has trees whose values are not of leaves');
  });
  const leaves = modes.filter((mode) => mode === 'LEAF').length;
  if (new Set(valued).size !== leaves || valued.length !== leaves) return refuse('has leaves without one value');
  const width = features.reduce((most, at, i) => (isLeaf(i) ? most : Math.max(most, at + 1)), 1);
  return {
    ...{ type: TREES, inputs: input ?? [], outputs: output ?? [] },
    ints: { outputs: [outputs], features: [width], steps: [steps] },
  };
}
