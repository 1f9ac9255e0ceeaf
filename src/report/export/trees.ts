/** Sums of decision trees as ONNX has them: `TreeEnsembleRegressor` of `ai.onnx.ml`, which every ONNX Runtime reads. */
import onnxProto from 'onnx-proto';
import { type TreeEnsemble, treeEnsemble } from '../../model/trees.ts';

type Attribute = onnxProto.onnx.IAttributeProto;
type Node = onnxProto.onnx.INodeProto;

export const TREES = 'TreeEnsembleRegressor';
export const TREES_DOMAIN = 'ai.onnx.ml';
/** Of 2022: later ones call the operator deprecated, none has dropped it. */
export const TREES_VERSION = 3;

const [AT_MOST, ABOVE, LEAF] = ['BRANCH_LEQ', 'BRANCH_GT', 'LEAF'] as const;

/** ONNX Runtime leaves out the base values of an ensemble without trees, so each output gets a tree that adds 0. */
function withTree(trees: TreeEnsemble): TreeEnsemble {
  if (trees.roots.length > 0) return trees;
  const leaf = { feature: -1, threshold: 0, above: false, missingYes: false, value: 0, yes: -1, no: -1 };
  const empty = Array.from({ length: trees.outputs }, (_, output) => ({ output, nodes: [leaf] }));
  return treeEnsemble(trees.outputs, trees.base, empty);
}

/** The node that makes `output` [N, outputs] of `input` [N, features]. */
export function treesNode(given: TreeEnsemble, input: string, output: string): Node {
  const { AttributeType } = onnxProto.onnx.AttributeProto;
  const trees = withTree(given);
  const { feature, threshold, above, yes, no, missingYes, value, roots, output: to } = trees;
  const nodes = [...feature.keys()];
  const treeOf = new Int32Array(nodes.length);
  for (const [t, root] of roots.entries()) treeOf.fill(t, root);
  const own = (node: number) => node - (roots[treeOf[node] ?? 0] ?? 0);
  const isLeaf = (node: number) => (feature[node] ?? -1) < 0;
  const leaves = nodes.filter(isLeaf);
  const ints = (name: string, values: Iterable<number>): Attribute => ({
    ...{ name, type: AttributeType.INTS },
    ints: [...values],
  });
  const floats = (name: string, values: Iterable<number>): Attribute => ({
    ...{ name, type: AttributeType.FLOATS },
    floats: [...values],
  });
  const text = new TextEncoder();
  const [atMost, isAbove, leaf] = [AT_MOST, ABOVE, LEAF].map((mode) => text.encode(mode));
  const modes = nodes.map((node) => (isLeaf(node) ? leaf : above[node] === 1 ? isAbove : atMost) ?? new Uint8Array());
  return {
    ...{ opType: TREES, domain: TREES_DOMAIN, name: TREES, input: [input], output: [output] },
    attribute: [
      { name: 'n_targets', type: AttributeType.INT, i: trees.outputs },
      floats('base_values', trees.base),
      ints('nodes_treeids', treeOf),
      ints('nodes_nodeids', nodes.map(own)),
      { name: 'nodes_modes', type: AttributeType.STRINGS, strings: modes },
      ints(
        'nodes_featureids',
        feature.map((at) => Math.max(0, at)),
      ),
      floats('nodes_values', threshold),
      ints(
        'nodes_truenodeids',
        nodes.map((node) => (isLeaf(node) ? 0 : own(yes[node] ?? 0))),
      ),
      ints(
        'nodes_falsenodeids',
        nodes.map((node) => (isLeaf(node) ? 0 : own(no[node] ?? 0))),
      ),
      ints('nodes_missing_value_tracks_true', missingYes),
      ints(
        'target_treeids',
        leaves.map((node) => treeOf[node] ?? 0),
      ),
      ints('target_nodeids', leaves.map(own)),
      ints(
        'target_ids',
        leaves.map((node) => to[treeOf[node] ?? 0] ?? 0),
      ),
      floats(
        'target_weights',
        leaves.map((node) => value[node] ?? 0),
      ),
    ],
  };
}
