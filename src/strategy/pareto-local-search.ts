import { dominates } from '../common/metrics.ts';
import type { Architecture } from '../space/space.ts';
import { bornOf, type Member } from './evolution/breed.ts';
import { fingerprint, remember } from './keys.ts';
import { proposalRng, sampleWithin, withinLimits } from './limits.ts';
import type { Problem, Strategy } from './strategy.ts';

export interface ParetoLocalSearchOptions {
  /** Random architectures that it begins with. */
  readonly starts: number;
}

export type ParetoLocalSearchState = {
  /** How many architectures it has proposed. */
  readonly asked: number;
  /** Those that no other dominates, of equals the first. */
  readonly front: readonly Member[];
  /** Fingerprints of what was proposed or measured last, the newest at the end. */
  readonly known: readonly string[];
};

/** Mutations of one member that are all known, before there is one mutation more. */
const PATIENCE = 10;
/** Mutations that are added before a random architecture is proposed. */
const MOST_EXTRA = 5;
/** Members of the front that are kept. */
const MOST = 1000;

/**
 * Local search on fronts: a member of the front, drawn uniformly, gets one decision changed, and the front is what
 * nothing dominates of all that was measured. Laumanns, Thiele & Zitzler 2004, "Running time analysis of multiobjective
 * evolutionary algorithms on pseudo-Boolean functions", algorithm SEMO, which is Pareto local search (Paquete,
 * Chiarandini & Stützle 2004) with neighbors in random order.
 *
 * Differs: it begins with `starts` random architectures. It never repeats one of its last 1,000 proposals: after ten mutations that
 * are all known, it makes several mutations at once, and in the end draws a random architecture. Failed, paused
 * and pruned trials and lower fidelities are not of the front. With one objective it climbs from the best.
 *
 * ask: O(1). tell: O(front).
 */
export function paretoLocalSearch({ starts }: ParetoLocalSearchOptions): Strategy<ParetoLocalSearchState> {
  return {
    name: 'pareto-local-search',
    init(problem) {
      sampleWithin(problem, 0); // Limits that no architecture keeps are refused now, not in the middle of a study.
      return { asked: 0, front: [], known: [] };
    },
    async ask(problem, state, firstTrial, count) {
      let { known } = state;
      const proposals = Array.from({ length: count }, (_, i) => {
        const isStart = state.asked + i < starts || state.front.length === 0;
        const architecture = isStart
          ? sampleWithin(problem, firstTrial + i)
          : neighborOf(problem, firstTrial + i, state.front, known);
        known = remember(known, architecture);
        return { architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' as const } };
      });
      return [{ ...state, asked: state.asked + count, known }, proposals];
    },
    async tell(problem, state, outcomes) {
      let { front, known } = state;
      for (const { architecture, origin } of outcomes) if (origin !== 'asked') known = remember(known, architecture);
      for (const one of bornOf(problem, outcomes, MOST)) front = withMember(problem, front, one);
      return { ...state, front, known };
    },
  };
}

/** The front with this one, if it belongs to it. */
function withMember({ objectives }: Problem, front: readonly Member[], one: Member): readonly Member[] {
  const isBehind = (a: Member, b: Member) => dominates(objectives, b.metrics, a.metrics);
  const isEqual = (other: Member) => objectives.every(({ metric }) => other.metrics[metric] === one.metrics[metric]);
  if (front.some((other) => isBehind(one, other) || isEqual(other))) return front;
  return [...front.filter((other) => !isBehind(other, one)), one].slice(-MOST);
}

function neighborOf(problem: Problem, trial: number, front: readonly Member[], known: readonly string[]): Architecture {
  const stream = proposalRng(problem, trial, 'neighbor');
  const taken = new Set(known);
  for (let extra = 0; extra <= MOST_EXTRA; extra++) {
    for (let attempt = 0; attempt < PATIENCE; attempt++) {
      let child = stream.pick(front).architecture;
      for (let i = 0; i <= extra; i++) child = problem.space.mutate(child, stream);
      if (!taken.has(fingerprint(child)) && withinLimits(problem, child)) return child;
    }
  }
  return sampleWithin(problem, trial);
}
