/** A space as the sequence of decisions that a controller (model/controller.ts) makes. */
import type { Rng } from '../common/random.ts';
import { type ControllerShape, type Episode, unroll } from '../model/controller.ts';
import { decided, decisions, isActive } from '../space/index.ts';
import type { Architecture, Decision, DecisionValue, Space, TreeArchitecture } from '../space/space.ts';
import { chooseAll } from '../space/tree/choose.ts';
import { type OptionList, optionsOf } from './options.ts';

/** A space as a sequence of choices from lists. */
export interface Sequence {
  readonly shape: ControllerShape;
  readonly lists: readonly (OptionList & { readonly decision: Decision })[];
}

/** An LSTM of `hidden` units over the decisions of a space. Throws UserError for a decision with more than 1,000 options. */
export function sequenceOf(space: Space, hidden: number): Sequence {
  const lists = decisions(space).map((decision) => ({ decision, ...optionsOf(decision.name, decision.domain) }));
  return { lists, shape: { sizes: lists.map(({ size }) => size), hidden } };
}

/**
 * What each step receives from the one before: its option, where earlier decisions make it active. (One that only later
 * decisions make active is made all the same, and counts if they do, but is not passed on.)
 */
function follow(sequence: Sequence): (t: number, value: DecisionValue | undefined) => number | undefined {
  const sure: Record<string, DecisionValue> = {};
  return (t, value) => {
    const { decision, optionOf } = sequence.lists[t] as Sequence['lists'][number];
    if (value === undefined || !isActive(decision, sure)) return undefined;
    sure[decision.name] = value;
    return optionOf(value);
  };
}

/** An architecture as the controller sees it. */
export function asTokens(sequence: Sequence, architecture: Architecture): Omit<Episode, 'advantage'> {
  const tell = follow(sequence);
  const told = sequence.lists.map(({ decision }, t) => tell(t, decided(architecture, decision.name)));
  const chosen = sequence.lists.map(({ decision, optionOf }) => {
    const value = decided(architecture, decision.name);
    return value === undefined ? undefined : optionOf(value);
  });
  return { told, chosen };
}

/**
 * The architecture that a controller with these weights draws, each option by its probability to the power of 1 / `flatness`. `seen` gets
 * the logarithms of the probabilities of every decision, by its number.
 */
export function drawArchitecture(
  space: Pick<Space, 'root' | 'hyperparameters'>,
  sequence: Sequence,
  weights: Float32Array,
  stream: Rng,
  { flatness = 1, seen }: { flatness?: number; seen?(t: number, logProbabilities: Float64Array): void } = {},
): TreeArchitecture {
  const values = new Map<string, DecisionValue>();
  const tell = follow(sequence);
  unroll(sequence.shape, weights, (t, logProbabilities) => {
    seen?.(t, logProbabilities);
    const list = sequence.lists[t] as Sequence['lists'][number];
    const value = list.draw(drawOption(list, logProbabilities, flatness, stream.float()), stream);
    values.set(list.decision.name, value);
    return tell(t, value);
  });
  return chooseAll(space, (name) => values.get(name) as DecisionValue);
}

/** The option at `point` of the cumulated probabilities, to the power of 1 / flatness and times the weights of the options. */
function drawOption(list: OptionList, logProbabilities: Float64Array, flatness: number, point: number): number {
  const weights = logProbabilities.map((value, option) => list.weight(option) * Math.exp(value / flatness));
  let left = point * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [option, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return option;
  }
  return weights.length - 1;
}
