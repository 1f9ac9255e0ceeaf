/**
 * Costs as a differentiable term of the architecture's loss: the expected cost of an architecture whose options are drawn by their shares.
 * ProxylessNAS (Cai et al. 2019, arXiv:1812.00332, section 3.3.1) adds it to the loss; so does `costForm: 'linear'`, divided by a reference as in
 * the published code. FBNet (Wu et al. 2019, arXiv:1812.03443, equation 2) multiplies the loss by α log(cost)^β, whose gradient is that of
 * loss + a weight · log(cost) but for its length, which Adam divides out: `costForm: 'log'`. Of methods that sample paths by
 * the shares it is exactly what the sampled paths cost on average. Above a limit, only the excess counts.
 *
 * It is computed on the host in float64, since it depends on the architecture's parameters alone: its programs know only its gradient.
 */
import type { HostTensor } from '../../graph/ir.ts';
import type { ArchitectureParameter } from '../../network/network.ts';
import type { Condition, Space } from '../../space/space.ts';
import { decisions } from '../../space/tree/decisions.ts';
import { passedOverIn } from '../../space/tree/derive.ts';
import { nodesOf } from '../../space/tree/domain.ts';
import type { Module } from '../../space/tree/module.ts';
import { childrenOf } from '../../space/tree/walk.ts';
import { type CostGoals, modelOf } from './goals.ts';
import type { CostModel } from './model.ts';
import type { CostSettings } from './settings.ts';

type Tensors = Readonly<Record<string, HostTensor>>;

/** The input that brings the gradient of the term by an architecture parameter, of the parameter's shape. */
export const costGradientOf = (path: string): string => `cost:${path}`;

export interface CostTermOfLoss {
  /** What it adds to the loss. */
  value(tensors: Tensors): number;
  /** Its gradient by each architecture parameter, by `costGradientOf` the parameter's path. */
  gradient(tensors: Tensors): Record<string, HostTensor>;
  /** Expected costs by name. */
  expected(tensors: Tensors): Record<string, number>;
}

/** A cost in the loss. */
interface Goal {
  readonly cost: string;
  readonly model: CostModel;
  readonly weight: number;
  readonly reference: number;
  readonly isLimit: boolean;
}

/** A row of an architecture parameter: a decision, and how likely each of its options is. */
interface Row {
  readonly path: string;
  /** Where it begins in the tensor. */
  readonly start: number;
  readonly options: readonly string[];
  /** Options that are never derived: the wiring decides whether there is an edge (`derive`). */
  readonly isPassedOver: readonly boolean[];
  /** How many of the options are taken: inputs of a node. */
  readonly taken: number;
}

/** Whether costs count in the loss of an architecture: one at least is a sum over options (`modelOf`). Throws UserError for a space without a supernet. */
export function hasCostTerm(
  space: Space,
  costs: CostGoals | undefined,
  { costWeight, limitWeight }: CostSettings,
): costs is CostGoals {
  if (costs === undefined) return false;
  const names = [
    ...(costWeight > 0 ? costs.objectives : []),
    ...(limitWeight > 0 ? costs.limits : []).map(({ cost }) => cost),
  ];
  return names.some((cost) => modelOf(space, costs, cost) !== undefined);
}

/** The term of a supernet: `network` has the decisions of the space, perhaps with fewer options. Throws as `hasCostTerm`. */
export function costTerm(
  space: Space,
  network: Module,
  architecture: readonly ArchitectureParameter[],
  costs: CostGoals,
  { costWeight, limitWeight, costForm }: CostSettings,
): CostTermOfLoss {
  const rows = rowsOf(space, architecture);
  const chanceOf = fixedChances(space, network);
  const uniform = Object.fromEntries(
    architecture.map(({ path, shape }) => [path, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }]),
  );
  const goal = (cost: string, weight: number, max?: number): readonly Goal[] => {
    const model = weight > 0 ? modelOf(space, costs, cost) : undefined;
    if (model === undefined) return [];
    const reference = max ?? expect(model, sharesOf(rows, uniform)).total;
    return reference > 0 ? [{ cost, model, weight, reference, isLimit: max !== undefined }] : [];
  };
  const goals = [
    ...costs.objectives.flatMap((cost) => goal(cost, costWeight)),
    ...costs.limits.flatMap(({ cost, max }) => goal(cost, limitWeight, max)),
  ];

  /** The expected cost, and its slope by the chance of each option. */
  function expect(model: CostModel, shares: ReadonlyMap<string, Float64Array>) {
    const slopes = new Map([...shares].map(([name, row]) => [name, new Float64Array(row.length)] as const));
    let total = 0;
    for (const { cost, when } of model) {
      const factors = when.map((condition) => {
        const [row, k] = [rows.get(condition.decision), optionOf(condition)];
        const at = row?.options.indexOf(k) ?? -1;
        const share = shares.get(condition.decision)?.[at];
        const chance = row === undefined ? chanceOf(condition) : row.taken * (share ?? 0);
        return { name: condition.decision, at, taken: row?.taken ?? 0, chance };
      });
      total += factors.reduce((product, { chance }) => product * chance, cost);
      for (const [i, { name, at, taken }] of factors.entries()) {
        const slope = slopes.get(name);
        if (slope === undefined || at < 0) continue;
        slope[at] =
          (slope[at] ?? 0) +
          factors.reduce((product, { chance }, j) => (j === i ? product : product * chance), cost * taken);
      }
    }
    return { total, slopes };
  }

  const isIdle = ({ isLimit, reference }: Goal, total: number) => isLimit && total <= reference;

  return {
    value(tensors) {
      const shares = sharesOf(rows, tensors);
      return goals.reduce((sum, goal) => {
        const { total } = expect(goal.model, shares);
        const ratio = total / goal.reference;
        if (isIdle(goal, total)) return sum;
        const value = costForm === 'log' ? Math.log(Math.max(ratio, Number.EPSILON)) : goal.isLimit ? ratio - 1 : ratio;
        return sum + goal.weight * value;
      }, 0);
    },
    expected(tensors) {
      const shares = sharesOf(rows, tensors);
      return Object.fromEntries(goals.map(({ cost, model }) => [cost, expect(model, shares).total]));
    },
    gradient(tensors) {
      const shares = sharesOf(rows, tensors);
      const found = new Map(
        architecture.map(
          ({ path, shape }) => [path, { shape, data: new Float32Array(tensors[path]?.data.length ?? 0) }] as const,
        ),
      );
      for (const goal of goals) {
        const { total, slopes } = expect(goal.model, shares);
        if (isIdle(goal, total)) continue;
        const scale = goal.weight / (costForm === 'log' ? Math.max(total, Number.EPSILON) : goal.reference);
        for (const [name, { path, start }] of rows) {
          const [own, slope, data] = [shares.get(name), slopes.get(name), found.get(path)?.data];
          if (own === undefined || slope === undefined || data === undefined) continue;
          const mean = own.reduce((sum, share, k) => sum + share * (slope[k] ?? 0), 0);
          for (const [k, share] of own.entries())
            data[start + k] = (data[start + k] ?? 0) + scale * share * ((slope[k] ?? 0) - mean);
        }
      }
      return Object.fromEntries([...found].map(([path, tensor]) => [costGradientOf(path), tensor]));
    },
  };
}

/** The option, or the earlier node, that a condition is about. */
function optionOf(condition: Condition): string {
  if ('is' in condition) return condition.is;
  return 'includes' in condition ? String(condition.includes) : '';
}

function rowsOf(space: Space, architecture: readonly ArchitectureParameter[]): ReadonlyMap<string, Row> {
  const zeros = passedOverIn(space);
  const counts = new Map(
    decisions(space).flatMap(({ name, domain }) => (domain.kind === 'inputs' ? [[name, domain.count] as const] : [])),
  );
  const rows = new Map<string, Row>();
  for (const { path, decisions: ofTensor } of architecture) {
    let start = 0;
    for (const { name, options } of ofTensor) {
      const passedOver = options.map((option) => zeros.get(name)?.includes(option) ?? false);
      const isPassedOver = passedOver.includes(false) ? passedOver : options.map(() => false);
      rows.set(name, { path, start, options, isPassedOver, taken: counts.get(name) ?? 1 });
      start += options.length;
    }
  }
  return rows;
}

/** The softmax of each row over the options that can be derived. */
function sharesOf(rows: ReadonlyMap<string, Row>, tensors: Tensors): ReadonlyMap<string, Float64Array> {
  return new Map(
    [...rows].map(([name, { path, start, options, isPassedOver }]) => {
      const data = tensors[path]?.data;
      if (data === undefined) throw new Error(`there is no tensor "${path}"`);
      const values = options.map((_, k) =>
        isPassedOver[k] === true ? Number.NEGATIVE_INFINITY : (data[start + k] ?? Number.NaN),
      );
      const top = Math.max(...values);
      const powers = values.map((value) => Math.exp(value - top));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return [name, Float64Array.from(powers, (power) => power / total)] as const;
    }),
  );
}

/** How likely a condition on a decision is that no parameter weighs: a choice with one option, or wiring that edges rank. */
function fixedChances(space: Space, network: Module): (condition: Condition) => number {
  const left = optionsIn(network);
  const domains = new Map(decisions(space).map(({ name, domain }) => [name, domain]));
  return (condition) => {
    const domain = domains.get(condition.decision);
    if (domain?.kind === 'inputs') return Math.min(1, domain.count / nodesOf(domain).length);
    const options = left.get(condition.decision) ?? [];
    return options.includes(optionOf(condition)) ? 1 / options.length : 0;
  };
}

/** The options of each choice. */
function optionsIn(
  module: Module,
  found = new Map<string, readonly string[]>(),
): ReadonlyMap<string, readonly string[]> {
  if (module.kind === 'choice') found.set(module.name, Object.keys(module.options));
  for (const child of childrenOf(module)) optionsIn(child, found);
  return found;
}
