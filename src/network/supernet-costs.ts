import { createGraph } from '../graph/builder.ts';
import { flopsOf } from '../graph/flops.ts';
import { sizeOf } from '../graph/ir.ts';
import * as ops from '../graph/ops.ts';
import type { Condition, Space } from '../space/space.ts';
import { decisions } from '../space/tree/decisions.ts';
import { supernet } from '../space/tree/resolve.ts';
import { conjoin } from '../space/tree/walk.ts';
import { endsOf } from './costs.ts';
import { lowerNetwork } from './lower.ts';
import type { Chosen, Switch } from './network.ts';

/** Costs that networks have where all the conditions hold. */
export interface PartCosts {
  readonly params: number;
  readonly flops: number;
  /** Options that are taken, and inputs that are picked; none: every network has these costs. */
  readonly when: readonly Condition[];
}

/**
 * The parameters and FLOPs of all networks of a space at once, counted as `networkCosts` counts them: a network's are those of the parts
 * whose conditions its architecture keeps. That is exact, since the options of a choice put out one shape, so that no layer depends on a
 * choice before it. It is an upper bound where a cell decides which of its nodes it puts out, and where nothing but zeros reaches a node.
 * Throws UserError for a space without a supernet, or whose supernet cannot be built.
 */
export function supernetCosts(space: Space): readonly PartCosts[] {
  const { task } = space;
  const g = createGraph();
  const x = ops.input(g, 'x', [1, ...task.input], task.vocabulary === undefined ? 'float32' : 'int32');
  const lowered = lowerNetwork(g, supernet(space), x, { ...endsOf(task), mode: 'infer', choices: 'switch' });
  const conditionOf = conditionsBy(space, lowered.switches);
  const parts = new Map<string, { params: number; flops: number; when: readonly Condition[] }>();
  const add = (chosen: readonly Chosen[], costs: Partial<Omit<PartCosts, 'when'>>) => {
    const when = chosen
      .flatMap(conditionOf)
      .reduce<readonly Condition[] | undefined>((path, one) => path && conjoin(path, one), []);
    // Under another option of the same decision: no network has it.
    if (when === undefined) return;
    const key = JSON.stringify(when);
    const part = parts.get(key) ?? { params: 0, flops: 0, when };
    part.params += costs.params ?? 0;
    part.flops += costs.flops ?? 0;
    parts.set(key, part);
  };

  const layers = new Map(lowered.layers.map(({ path, when }) => [path, when]));
  for (const [id, node] of g.nodes.entries()) {
    const flops = flopsOf(g.nodes, id);
    if (flops > 0) add(layers.get(node.path) ?? [], { flops });
  }
  for (const { shape, when } of lowered.parameters) add(when, { params: sizeOf(shape) });
  return [...parts.values()];
}

/** What an option of a switch says of the architecture. */
function conditionsBy(space: Space, switches: readonly Switch[]): (chosen: Chosen) => readonly Condition[] {
  const byName = new Map(switches.map((one) => [one.name, one]));
  const inputs = new Set(decisions(space).flatMap(({ name, domain }) => (domain.kind === 'inputs' ? [name] : [])));
  return ({ name, option }) => {
    const about = byName.get(name);
    const found = about?.options[option];
    if (about === undefined || found === undefined) throw new Error(`there is no option ${option} of switch "${name}"`);
    const { decision, from } = about;
    if (from !== undefined) return found === 'present' ? [{ decision, includes: from }] : [];
    return [inputs.has(decision) ? { decision, includes: Number(found) } : { decision, is: found }];
  };
}
