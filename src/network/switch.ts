import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Lowering, OpenChoices } from './lowering.ts';
import type { Chosen, Switch } from './network.ts';

/**
 * Single paths (Guo et al. 2020): an open choice becomes a switch, whose index is an input of the graph, one for each
 * decision. Only the chosen option is computed, and only its parameters and statistics change in a training
 * step. Where wiring is open, a node that picks one input has a switch between its edges; of one that picks several, each edge has a
 * switch between nothing and the edge.
 */
export function switched(g: GraphBuilder): OpenChoices {
  const inputs = new Map<string, { readonly node: NodeId; readonly about: Switch }>();
  let when: readonly Chosen[] = [];
  const indexOf = (about: Switch): NodeId => {
    const node = inputs.get(about.name)?.node ?? ops.input(g, about.name, []);
    inputs.set(about.name, { node, about });
    return node;
  };
  const under = (chosen: Chosen, lower: () => NodeId): NodeId => {
    const outer = when;
    when = [...outer, chosen];
    try {
      return lower();
    } finally {
      when = outer;
    }
  };
  return {
    parameters: [],
    get switches() {
      return [...inputs.values()].map(({ about }) => about);
    },
    get when() {
      return when;
    },
    choose(l, module, x) {
      const options = Object.entries(module.options).map(
        ([key, option]) => [key, () => l.child(key, option, x, l.before)] as const,
      );
      return oneOf(l, module.name, options);
    },
    inputs(l, { name: wiring, count }, edges) {
      if (count === 1) return [oneOf(l, wiring, [...edges.entries()])];
      return edges.map((lower, from) => {
        const name = `choice:${wiring}:${from}`;
        const index = indexOf({ name, decision: wiring, options: ['absent', 'present'], from });
        const value = under({ index, name, option: 1, of: 2 }, lower);
        return ops.select(g, index, [ops.constant(g, 0, g.shape(value)), value]);
      });
    },
  };

  function oneOf(
    l: Lowering,
    decision: string,
    options: readonly (readonly [key: string | number, lower: () => NodeId])[],
  ): NodeId {
    const name = `choice:${decision}`;
    const index = indexOf({ name, decision, options: options.map(([key]) => String(key)) });
    const values = options.map(([, lower], k) => under({ index, name, option: k, of: options.length }, lower));
    const shapes = new Set(values.map((value) => `[${g.shape(value)}]`));
    if (shapes.size > 1)
      throw l.error(`options of choice "${decision}" give ${[...shapes].join(' and ')}`, 'they must have one shape');
    return ops.select(g, index, values);
  }
}

/** `next` where all of `when` is chosen, else `old`: what a step leaves of a tensor that only those options use. */
export function guarded(g: GraphBuilder, when: readonly Chosen[], old: NodeId, next: NodeId): NodeId {
  return when.reduceRight(
    (value, { index, option, of }) =>
      ops.select(
        g,
        index,
        Array.from({ length: of }, (_, k) => (k === option ? value : old)),
      ),
    next,
  );
}
