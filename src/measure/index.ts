import { COST_METRICS, type CostName } from '../common/metrics.ts';
import type { Architecture, Space } from '../space/space.ts';
import { descriptionLength } from './description-length.ts';
import { type StaticMeasure, type Subject, subjectOf } from './measure.ts';
import { depth, distinctOperations, modelBytes } from './structure.ts';

export { type Measure, type StaticMeasure, type Subject, subjectOf } from './measure.ts';

/** All static measures of a network. */
export const MEASURES: Readonly<Record<CostName, StaticMeasure>> = {
  params: measure('params', ({ costs }) => costs().params),
  flops: measure('flops', ({ costs }) => costs().flops),
  activationBytes: measure('activationBytes', ({ costs }) => costs().activationBytes),
  modelBytes: measure('modelBytes', modelBytes),
  depth: measure('depth', depth),
  descriptionLength: measure('descriptionLength', descriptionLength),
  distinctOperations: measure('distinctOperations', distinctOperations),
};

function measure(name: CostName, of: (subject: Subject) => number): StaticMeasure {
  return { metric: { metric: name, ...COST_METRICS[name] }, when: 'static', of };
}

export function isCost(name: string): name is CostName {
  return Object.hasOwn(MEASURES, name);
}

/** What every trial's costs have, whether the study names them or not. */
const ALWAYS: readonly CostName[] = ['params', 'flops', 'activationBytes'];

/**
 * An architecture's parameters, FLOPs and activation memory, and the static measures among `names` (other names are
 * ignored). Throws UserError where its network cannot be built.
 */
export function costsOf(
  space: Space,
  architecture: Architecture,
  names: readonly string[] = [],
): Readonly<Record<string, number>> {
  const subject = subjectOf(space, architecture);
  const wanted = new Set([...ALWAYS, ...names.filter(isCost)]);
  return Object.fromEntries([...wanted].map((name) => [name, MEASURES[name].of(subject)]));
}
