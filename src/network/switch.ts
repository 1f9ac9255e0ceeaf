import type { GraphBuilder } from '../graph/builder.ts';
import type { NodeId } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Lowering, OpenChoices } from './lowering.ts';
import type { Chosen, Switch } from './network.ts';
import { isOpenRead, isRanked } from './open-decisions.ts';

/**
 * Single paths (Guo et al. 2020): an open choice becomes a switch, whose index is an input of the graph, one for each
 * decision. Only the chosen option is computed, and only its parameters and statistics change in a training
 * step. Where wiring is open, a node that picks one input has a switch between its edges; of one that picks several, each edge has a
 * switch between nothing and the edge.
 */
export function switched(g: GraphBuilder): OpenChoices {
  return switchedWith(g, {});
}

/** Switches between operations alone: where wiring is open, all edges are there, unless operations do not rank them (`isRanked`). */
export function operations(g: GraphBuilder): OpenChoices {
  return switchedWith(g, { edges: 'present' });
}

/** What `operations` has trained, with a switch for each edge: the parameters of an edge do not depend on its switch. */
export function wired(g: GraphBuilder): OpenChoices {
  return switchedWith(g, { edges: 'optional' });
}

interface SwitchOptions {
  readonly parameters?: OpenChoices['parameters'];
  /** What the output of the chosen option of a decision is multiplied by, []. */
  gateOf?(decision: string): NodeId | undefined;
  /** Whether 1 - gate is added to that. */
  readonly complement?: boolean;
  /**
   * Edges that a decision may pick and that operations rank (others are `switched`). switched (the default): a switch each, and a step leaves the parameters of an edge that is not picked as
   * they are; optional: a switch each, which says nothing of the parameters; present: all are there.
   */
  readonly edges?: 'switched' | 'optional' | 'present';
}

export function switchedWith(
  g: GraphBuilder,
  { parameters = [], gateOf = () => undefined, complement = false, edges = 'switched' }: SwitchOptions,
): OpenChoices {
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
    parameters,
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
      return oneOf(l, module.name, options, true);
    },
    read(l, read, lowers) {
      if (!isOpenRead(read) || (edges === 'present' && isRanked(read))) return lowers.map((lower) => lower());
      const { name: wiring, count } = read.from;
      const guards = edges === 'switched' || !isRanked(read);
      if (count === 1) return [oneOf(l, wiring, [...lowers.entries()], guards)];
      return lowers.map((lower, from) => {
        const name = `choice:${wiring}:${from}`;
        const index = indexOf({ name, decision: wiring, options: ['absent', 'present'], from });
        const value = guards ? under({ index, name, option: 1, of: 2 }, lower) : lower();
        return ops.select(g, index, [ops.constant(g, 0, g.shape(value)), value]);
      });
    },
  };

  /** `guards`: whether a step leaves the parameters of the other options as they are. */
  function oneOf(
    l: Lowering,
    decision: string,
    options: readonly (readonly [key: string | number, lower: () => NodeId])[],
    guards: boolean,
  ): NodeId {
    const name = `choice:${decision}`;
    const index = indexOf({ name, decision, options: options.map(([key]) => String(key)) });
    const gate = gateOf(decision);
    const gatedBy = (value: NodeId): NodeId => {
      if (gate === undefined) return value;
      const scaled = ops.mul(g, value, gate);
      return complement ? ops.add(g, scaled, ops.sub(g, ops.constant(g, 1), gate)) : scaled;
    };
    const values = options.map(([, lower], k) =>
      guards ? under({ index, name, option: k, of: options.length }, () => gatedBy(lower())) : gatedBy(lower()),
    );
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
