/** Sums of decision trees over rows of features: plain arrays, as an ONNX TreeEnsemble has them. */

/**
 * Nodes of all trees, one tree after another. A node with `feature` -1 is a leaf. Any other asks whether the feature is at most its
 * threshold, or, where `above` is 1, whether it is above it: then `yes` is next, otherwise `no`. Thresholds are float32, as features
 * are. Several nodes may have the same `yes`; children come after their parents.
 */
export interface TreeEnsemble {
  readonly outputs: number;
  /** Of each output: what its trees are added to. */
  readonly base: readonly number[];
  readonly feature: Int32Array;
  readonly threshold: Float32Array;
  readonly above: Uint8Array;
  readonly yes: Int32Array;
  readonly no: Int32Array;
  /** 1: a missing value (NaN) goes to `yes`. */
  readonly missingYes: Uint8Array;
  /** Of leaves. */
  readonly value: Float32Array;
  /** The first node of each tree, and the output that it adds to. */
  readonly roots: Int32Array;
  readonly output: Int32Array;
}

/** The outputs [count, outputs] of rows [count, width]. O(count · trees · depth). */
export function predictTrees(trees: TreeEnsemble, rows: ArrayLike<number>, width: number): Float32Array {
  const { outputs, base, feature, threshold, above, yes, no, missingYes, value, roots, output } = trees;
  const count = rows.length / width;
  const sums = Float64Array.from({ length: count * outputs }, (_, i) => base[i % outputs] ?? Number.NaN);
  for (let t = 0; t < roots.length; t++) {
    const [root, to] = [roots[t] as number, output[t] as number];
    for (let row = 0; row < count; row++) {
      let node = root;
      for (;;) {
        const at = feature[node] as number;
        if (at < 0) break;
        const x = rows[row * width + at] as number;
        const border = threshold[node] as number;
        const holds = Number.isNaN(x) ? missingYes[node] === 1 : above[node] === 1 ? x > border : x <= border;
        node = (holds ? yes[node] : no[node]) as number;
      }
      const into = row * outputs + to;
      sums[into] = (sums[into] as number) + (value[node] as number);
    }
  }
  return Float32Array.from(sums);
}

/** A node as it is collected: a leaf has a value and no feature. */
export interface TreeNode {
  readonly feature: number;
  readonly threshold: number;
  readonly above: boolean;
  readonly missingYes: boolean;
  readonly value: number;
  readonly yes: number;
  readonly no: number;
}

/** A tree as a list of nodes whose children are numbers in the list; the first is the root. */
export interface ListedTree {
  readonly output: number;
  readonly nodes: readonly TreeNode[];
}

export function treeEnsemble(outputs: number, base: readonly number[], trees: readonly ListedTree[]): TreeEnsemble {
  const roots = new Int32Array(trees.length);
  const nodes: TreeNode[] = [];
  for (const [t, { nodes: own }] of trees.entries()) {
    const root = nodes.length;
    roots[t] = root;
    for (const { yes, no, ...node } of own)
      nodes.push({ ...node, yes: yes < 0 ? yes : yes + root, no: no < 0 ? no : no + root });
  }
  return {
    outputs,
    base,
    feature: Int32Array.from(nodes, ({ feature }) => feature),
    threshold: Float32Array.from(nodes, ({ threshold }) => threshold),
    above: Uint8Array.from(nodes, ({ above }) => Number(above)),
    yes: Int32Array.from(nodes, ({ yes }) => yes),
    no: Int32Array.from(nodes, ({ no }) => no),
    missingYes: Uint8Array.from(nodes, ({ missingYes }) => Number(missingYes)),
    value: Float32Array.from(nodes, ({ value }) => value),
    roots,
    output: Int32Array.from(trees, ({ output }) => output),
  };
}
