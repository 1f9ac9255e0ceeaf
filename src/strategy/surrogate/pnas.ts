import type { Rng } from '../../common/random.ts';
import { fitRidge, type Predictor } from '../../model/ridge.ts';
import { childrenOf, decided, decisions, encodeOneHot, type Module, neighbors } from '../../space/index.ts';
import type { Architecture, Decision, DecisionValue, Space } from '../../space/space.ts';
import { chooseAll } from '../../space/tree/choose.ts';
import { firstValue, sampleValue } from '../../space/tree/domain.ts';
import { walk } from '../../space/tree/walk.ts';
import { fingerprint } from '../keys.ts';
import { proposalRng, sampleWithin, withinLimits } from '../limits.ts';
import { listValues } from '../options.ts';
import { scoreOf } from '../outcomes.ts';
import type { Outcome, Problem, Strategy } from '../strategy.ts';
import { treeOf } from '../tree.ts';

export interface PnasOptions {
  /** Steps of complexity, B in the paper; no more than there are decisions. */
  readonly levels: number;
  /** K: how many architectures are trained at a level and continue to the next. */
  readonly beam: number;
  /** Penalty of the ridge regression. */
  readonly penalty: number;
}

type Observation = { readonly architecture: Architecture; readonly score: number; readonly level: number };

export type PnasState = {
  /** From 1; one above the last when all decisions have been opened. */
  readonly level: number;
  /** Number of architectures of this level that were proposed. */
  readonly asked: number;
  readonly running: readonly { readonly trial: number; readonly architecture: Architecture }[];
  /** What was measured, of more than 1,000 the best; scores larger is better. */
  readonly observations: readonly Observation[];
  /** Fingerprints of the last 1,000 that failed. */
  readonly failed: readonly string[];
};

const MEMORY = 1000;
/** Extensions of one architecture that the surrogate looks at. */
const MOST_EXTENSIONS = 64;

/**
 * Progressive search. Liu et al. 2018, "Progressive Neural Architecture Search", algorithm 1: simple networks are trained
 * first; a surrogate learns from them which of the next more complex ones are worth training; of these the best K by
 * prediction are trained, and so on, up to full complexity.
 *
 * What is complex: in the paper a cell of more blocks. Here the decisions of the space, in the order of the walk, are opened in
 * `levels` steps of equal size; a decision that is not open yet is at rest: a choice of operations at its identity, or where
 * there is none at its zero; anything else at its first value (the least of a range, so that networks begin small and
 * shallow). A candidate of a level is one of the K best so far with all values of the decisions that the level opens (64
 * draws, where there are more). Once all decisions are open, candidates are the neighbors of the K best measured.
 *
 * Differs: the surrogate is a ridge regression of ranks on the one-hot encoding and on how often each operation occurs at all
 * (which is how it can know anything of a decision that has just been opened), refitted with each result, not an ensemble
 * of LSTMs refitted with each level; of the first level K at random are trained, if there are more; it never ends. Of several
 * objectives it learns the first. Failed, paused and pruned trials, and those of a lower fidelity, teach nothing.
 *
 * ask: O(64 · K) candidates; O(n · F² + F³) for n ≤ 1,000 results of F features, once for each new result. tell: O(1,000).
 */
export function pnas(options: PnasOptions): Strategy<PnasState> {
  const plans = new WeakMap<Space, Plan>();
  const planOf = (space: Space) => {
    const found = plans.get(space) ?? plan(space, options.levels);
    plans.set(space, found);
    return found;
  };
  const fitted = new WeakMap<readonly Observation[], Predictor>();
  const predictorOf = (space: Space, observations: readonly Observation[]) => {
    const found = fitted.get(observations) ?? learn(space, observations, options.penalty);
    fitted.set(observations, found);
    return found;
  };

  return {
    name: 'pnas',
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { level: 1, asked: 0, running: [], observations: [], failed: [] };
    },
    async ask(problem, state, firstTrial, count) {
      let now = state;
      const proposals = Array.from({ length: count }, (_, i) => {
        const trial = firstTrial + i;
        now = advance(problem, now);
        const architecture = propose(problem, now, trial);
        now = { ...now, asked: now.asked + 1, running: [...now.running, { trial, architecture }] };
        return { architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' as const } };
      });
      return [now, proposals];
    },
    async tell(problem, state, outcomes) {
      return outcomes.reduce((now, outcome) => take(problem, now, outcome), state);
    },
  };

  /** To the next level, once K have ended; of the same level more are asked for until then. */
  function advance(problem: Problem, state: PnasState): PnasState {
    const { opened } = planOf(treeOf(problem));
    const isDone = state.asked - state.running.length >= options.beam && state.observations.length > 0;
    return isDone && state.level <= opened.length ? { ...state, level: state.level + 1, asked: 0 } : state;
  }

  function propose(problem: Problem, state: PnasState, trial: number): Architecture {
    const stream = proposalRng(problem, trial, 'pnas');
    const taken = new Set([
      ...[...state.observations, ...state.running].map(({ architecture }) => fingerprint(architecture)),
      ...state.failed,
    ]);
    const open = candidates(problem, state, stream).filter((one) => {
      const name = fingerprint(one);
      const isNew = !taken.has(name);
      taken.add(name);
      return isNew;
    });
    const shuffled = stream.shuffle(open); // Equal predictions have no order.
    const best = state.level === 1 ? shuffled : byPrediction(treeOf(problem), shuffled, state.observations);
    return best.find((one) => withinLimits(problem, one)) ?? sampleWithin(problem, trial);
  }

  function byPrediction(space: Space, open: readonly Architecture[], observations: readonly Observation[]) {
    const predict = predictorOf(space, observations);
    const ranked = open.map((one) => ({ one, prediction: predict(featuresOf(space, one)) }));
    return ranked.sort((a, b) => b.prediction - a.prediction).map(({ one }) => one);
  }

  function candidates(problem: Problem, state: PnasState, stream: Rng): readonly Architecture[] {
    const space = treeOf(problem);
    const { opened, rest } = planOf(space);
    const best = state.observations.toSorted((a, b) => b.score - a.score);
    if (state.level > opened.length) {
      return best.slice(0, options.beam).flatMap(({ architecture }) => neighbors(space, architecture));
    }
    const group = opened[state.level - 1] ?? [];
    const simpler = best.filter(({ level }) => level < state.level).slice(0, options.beam);
    const bases = simpler.length > 0 ? simpler.map(({ architecture }) => architecture) : [{}];
    return bases.flatMap((base) =>
      extensions(group, stream).map((values) =>
        chooseAll(
          space,
          (name, domain) => values.get(name) ?? decided(base, name) ?? rest.get(name) ?? firstValue(domain),
        ),
      ),
    );
  }

  function take(problem: Problem, state: PnasState, outcome: Outcome): PnasState {
    const { trial, architecture } = outcome;
    const now = { ...state, running: state.running.filter((one) => one.trial !== trial) };
    const score = scoreOf(problem, outcome);
    if (score === undefined) return { ...now, failed: [...now.failed.slice(1 - MEMORY), fingerprint(architecture)] };
    const level = levelOf(planOf(treeOf(problem)), architecture);
    return { ...now, observations: keep([...now.observations, { architecture, score, level }]) };
  }
}

/** Without the worst of too many. */
function keep(observations: readonly Observation[]): readonly Observation[] {
  if (observations.length <= MEMORY) return observations;
  const worst = observations.reduce((a, b) => (b.score < a.score ? b : a));
  return observations.filter((one) => one !== worst);
}

/** In which order a space's decisions are opened, and where each rests until then. */
interface Plan {
  readonly opened: readonly (readonly Decision[])[];
  readonly rest: ReadonlyMap<string, DecisionValue>;
}

function plan(space: Space, levels: number): Plan {
  const all = decisions(space);
  const count = Math.min(levels, all.length);
  const end = (level: number) => Math.ceil((all.length * level) / count);
  const opened = Array.from({ length: count }, (_, i) => all.slice(end(i), end(i + 1)));
  const found = new Map(all.map(({ name, domain }) => [name, firstValue(domain)]));
  const visit = (module: Module): void => {
    if (module.kind === 'choice') {
      const options = Object.entries(module.options);
      const idle =
        options.find(([, { kind }]) => kind === 'identity') ?? options.find(([, { kind }]) => kind === 'zero');
      if (idle && found.has(module.name)) found.set(module.name, idle[0]);
    }
    for (const child of childrenOf(module)) visit(child);
  };
  // The walk gives choices their full names.
  visit(walk(space, () => undefined).root);
  return { opened, rest: found };
}

/** The first level at which all that is not at rest is open. */
function levelOf({ opened, rest }: Plan, architecture: Architecture): number {
  const awake = opened.findLastIndex((group) =>
    group.some(({ name }) => architecture[name] !== undefined && `${architecture[name]}` !== `${rest.get(name)}`),
  );
  return Math.max(1, awake + 1);
}

/** All values of these decisions together, or 64 draws where there are more. */
function extensions(group: readonly Decision[], stream: Rng): readonly ReadonlyMap<string, DecisionValue>[] {
  let all: ReadonlyMap<string, DecisionValue>[] = [new Map()];
  for (const { name, domain } of group) {
    const values = listValues(domain, MOST_EXTENSIONS);
    if (values === undefined || all.length * values.length > MOST_EXTENSIONS) {
      return Array.from(
        { length: MOST_EXTENSIONS },
        () => new Map(group.map((one) => [one.name, sampleValue(one.domain, stream)])),
      );
    }
    all = all.flatMap((before) => values.map((value) => new Map([...before, [name, value]])));
  }
  return all;
}

function learn(space: Space, observations: readonly Observation[], penalty: number): Predictor {
  const order = observations.map(({ score }) => score).sort((a, b) => a - b);
  const ranks = observations.map(({ score }) => (order.indexOf(score) + order.lastIndexOf(score)) / 2 / order.length);
  const inputs = observations.map(({ architecture }) => featuresOf(space, architecture));
  return fitRidge(inputs, ranks, penalty);
}

/** The one-hot encoding, then for each value of the decisions with the same list how often it occurs. */
function featuresOf(space: Space, architecture: Architecture): number[] {
  const lists = decisions(space).filter(({ domain }) => domain.kind === 'values');
  const counts = [...Map.groupBy(lists, ({ domain }) => JSON.stringify(domain)).values()].flatMap((group) => {
    const { domain } = group[0] as Decision;
    if (domain.kind !== 'values' || group.length === 1) return [];
    return domain.values.map((value) => group.filter(({ name }) => architecture[name] === value).length);
  });
  return [...encodeOneHot(space, architecture), ...counts];
}
