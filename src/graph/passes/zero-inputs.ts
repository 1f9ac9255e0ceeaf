import type { Graph, Node, NodeId } from '../ir.ts';
import { isPointwise } from '../ops/conv.ts';
import { abs, add, constant, type GraphBuilder, mul, relu, select, sub } from '../ops.ts';
import { demands, isHeavy } from './demand.ts';
import { givesZero } from './fold-zeros.ts';
import { rebuild } from './rebuild.ts';

/** Whether a node's value is zero: where `index`, [], is 1 and not 0, in a share of the runs if options are equally likely. */
interface ZeroForOption {
  readonly index: NodeId;
  readonly share: number;
}
/** `never` for all that is known. */
type Zero = 'never' | 'always' | ZeroForOption;

/** Below this share of runs, a switch costs more than it saves. */
const LEAST_SHARE = 0.1;

/**
 * Leaves out convolutions, in options of switches, of what the options chosen elsewhere make zero: conv(x, w) becomes a switch
 * between itself and zeros, whose index is worked out from those of the switches that x comes from. What follows then folds as it
 * does where x is zero whatever is chosen (`settleSwitches`): of a batch norm its bias is left, and no gradient of the filter is
 * computed. Convolutions of one pixel stay: moments of their results come from their inputs (`foldMoments`), which a switch would
 * take apart.
 *
 * For a forward graph, before differentiation. Where there is nothing to do, it returns the given graph itself.
 */
export function skipZeroInputs(graph: Graph): Graph {
  if (!graph.nodes.some(({ op }) => op.kind === 'select')) return graph;
  const conditions = demands(graph);
  const zeros: Zero[] = [];
  let changed = false;
  const result = rebuild(graph, (node, id, g) => {
    const { op, inputs } = node;
    const own = graph.nodes[id]?.inputs.map((from) => zeros[from] ?? 'never') ?? [];
    const found = zeroOf(node, own, g);
    const zero = typeof found === 'object' && found.share < LEAST_SHARE ? 'never' : found;
    zeros[id] = zero;
    const made = g.add(op, inputs);
    const shapes = inputs.map((from) => g.shape(from));
    const optional = (conditions[id]?.size ?? 0) > 0;
    if (op.kind !== 'conv' || typeof zero !== 'object' || !optional || !isHeavy(op.kind, shapes)) return made;
    if (isPointwise(op, shapes[1] ?? [])) return made;
    changed = true;
    return select(g, zero.index, [made, constant(g, 0, g.shape(made))]);
  });
  return changed ? result : graph;
}

function zeroOf(node: Node, own: readonly Zero[], g: GraphBuilder): Zero {
  const { op, inputs } = node;
  const [a = 'never', b = 'never'] = own;
  if (givesZero(node, () => false)) return 'always';
  switch (op.kind) {
    case 'select': {
      const options = own.slice(1);
      if (options.every((zero) => zero === options[0])) return options[0] ?? 'never';
      const terms = options.flatMap((zero, k): ZeroForOption[] => {
        if (zero === 'never') return [];
        const chosen = { index: isOption(g, inputs[0] ?? -1, k), share: 1 / options.length };
        return [zero === 'always' ? chosen : product(g, chosen, zero)];
      });
      return terms.reduce((sum, term) => ({
        index: add(g, sum.index, term.index),
        share: sum.share + term.share,
      }));
    }
    case 'binary':
      if (op.fn === 'mul') return a === 'never' ? b : a;
      if (op.fn === 'div') return a;
      return both(g, a, b);
    case 'conv':
      return inputs.length === 2 ? a : 'never';
    default:
      return own.length === 1 && givesZero(node, () => true) ? a : 'never';
  }
}

/** 1 where a whole number is k, else 0. */
function isOption(g: GraphBuilder, index: NodeId, k: number): NodeId {
  return relu(g, sub(g, constant(g, 1), abs(g, sub(g, index, constant(g, k)))));
}

function both(g: GraphBuilder, a: Zero, b: Zero): Zero {
  if (a === 'never' || b === 'never') return 'never';
  if (a === 'always') return b;
  return b === 'always' || a.index === b.index ? a : product(g, a, b);
}

function product(g: GraphBuilder, a: ZeroForOption, b: ZeroForOption): ZeroForOption {
  return { index: mul(g, a.index, b.index), share: a.share * b.share };
}
