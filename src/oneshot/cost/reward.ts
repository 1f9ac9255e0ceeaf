import type { Rng } from '../../common/random.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { sample } from '../../space/tree/vary.ts';
import { type CostGoals, keepsLimits, modelOf } from './goals.ts';
import { modeledCost } from './model.ts';

/** Random architectures whose mean cost is what others are compared with. */
const REFERENCES = 32;

/**
 * What the reward of a sampled architecture is multiplied by for its costs (MnasNet, Tan et al. 2019, equation 2):
 * (cost / reference)^-costExponent for each cost that is an objective, its reference the mean of random architectures; (cost / limit)^-limitExponent
 * for each limit that it does not keep. `random` draws the random ones. Throws UserError for a space without a supernet.
 */
export function costFactor(
  space: Space,
  goals: CostGoals,
  { costExponent, limitExponent }: { readonly costExponent: number; readonly limitExponent: number },
  random: Rng,
) {
  const costOf = (cost: string): ((architecture: Architecture) => number) => {
    const model = modelOf(space, goals, cost);
    if (model !== undefined) return (architecture) => modeledCost(model, architecture);
    return (architecture) => goals.of(architecture)[cost] ?? Number.NaN;
  };
  const references =
    goals.objectives.length === 0 ? [] : Array.from({ length: REFERENCES }, () => sample(space, random));
  const objectives = goals.objectives.map((cost) => {
    const of = costOf(cost);
    return { of, reference: references.reduce((sum, one) => sum + of(one) / references.length, 0) };
  });
  const limits = goals.limits.map(({ cost, max }) => ({ of: costOf(cost), max }));
  /** Of a cost of 0, nothing is left to save. */
  const ratio = (cost: number, reference: number) =>
    Math.max(cost, Number.EPSILON) / Math.max(reference, Number.EPSILON);
  return {
    isWithin: (architecture: Architecture) => keepsLimits(goals, architecture),
    factorOf(architecture: Architecture): number {
      const ofObjectives = objectives.map(({ of, reference }) => ratio(of(architecture), reference) ** -costExponent);
      const ofLimits = limits.map(({ of, max }) => Math.max(1, ratio(of(architecture), max)) ** -limitExponent);
      return [...ofObjectives, ...ofLimits].reduce((product, factor) => product * factor, 1);
    },
  };
}
