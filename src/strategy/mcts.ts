import { largest } from '../common/extremes.ts';
import type { Rng } from '../common/random.ts';
import type { Architecture, DecisionValue, Domain } from '../space/space.ts';
import { chooseAll } from '../space/tree/choose.ts';
import { decided } from '../space/tree/decisions.ts';
import { equalValues, sampleValue, weightOf } from '../space/tree/domain.ts';
import { fingerprint, remember } from './keys.ts';
import { proposalRng, sampleWithin, TRIES, withinLimits } from './limits.ts';
import { listValues } from './options.ts';
import { rankAmong, scoreOf } from './outcomes.ts';
import type { Outcome, Problem, Strategy } from './strategy.ts';
import { treeOf } from './tree.ts';

export interface MctsOptions {
  /** c of UCT: the weight of what is not yet known. */
  readonly exploration: number;
  /** The number of visits to an option of a node that weigh as much as everything known of that value elsewhere; 0: plain UCT. */
  readonly rave: number;
  /** Temperature of the softmax by which rollouts draw values; 0: uniform. */
  readonly temperature: number;
  /** A continuous decision visited n times has at most 1 + widening · √n values. */
  readonly widening: number;
  /** The tree grows no larger. */
  readonly nodes: number;
}

/** How often something was tried, and the sum of the rewards. */
type Tally = { readonly visits: number; readonly total: number };
type Node = Tally & { readonly children: readonly Child[] };
type Child = { readonly value: DecisionValue; readonly node: Node };
type Move = Tally & { readonly value: DecisionValue };
type Running = { readonly trial: number; readonly architecture: Architecture };

export type MctsState = {
  readonly root: Node;
  /** How many there are below the root. */
  readonly nodes: number;
  /** What became of each value of each decision, wherever it was taken. */
  readonly moves: Readonly<Record<string, readonly Move[]>>;
  /** Values of the last results, larger is better, which rewards are ranks among. */
  readonly values: readonly number[];
  readonly running: readonly Running[];
  /** Fingerprints of what was measured last. */
  readonly known: readonly string[];
};

const LEAF: Node = { visits: 0, total: 0, children: [] };

/** A range of more whole numbers, or a larger choice of inputs, is widened like a continuous one. */
const MOST_OPTIONS = 32;

/**
 * Monte Carlo tree search over the tree of decisions. Kocsis & Szepesvári 2006, "Bandit Based Monte-Carlo Planning": from the root,
 * the option of the largest mean reward plus c √(ln N / n) is taken, down to a node that was never tried, which joins the
 * tree; the decisions below it are made by a rollout; the result counts on all nodes of the path. For networks: Wang et al.
 * 2019, AlphaX (here without its network that predicts rewards). Decisions are made in the order of the walk, inactive
 * ones are none. A continuous decision is widened progressively (Couëtoux et al. 2011, with exponent 1/2).
 *
 * Differs: with some hundred trials the tree stays shallow, so that what is known of a value wherever it was taken is blended in,
 * with weight k / (k + n) (RAVE, Gelly & Silver 2007, with their simpler schedule; one table for all nodes), and guides the
 * rollouts (MAST, Finnsson & Björnsson 2008); `rave` 0 and `temperature` 0 give the plain algorithm. The reward is the
 * cube of the rank among the last 1,000 results. What was measured lately is not measured again: the descent is
 * repeated, with more and more decisions drawn uniformly. A trial that is running counts as a visit without reward. With several
 * objectives the first counts. Failed, paused and pruned trials, and those of a lower fidelity, teach nothing.
 *
 * ask: O(decisions · options). tell: O(decisions · options), and 1,000 values copied. State: 60 bytes a node.
 */
export function mcts(options: MctsOptions): Strategy<MctsState> {
  const lists = new WeakMap<Domain, readonly DecisionValue[] | null>();
  const listOf = (domain: Domain) => {
    const found = lists.get(domain) ?? listValues(domain, MOST_OPTIONS) ?? null;
    lists.set(domain, found);
    return found;
  };

  return {
    name: 'mcts',
    init(problem) {
      sampleWithin(problem, 0); // Limits that nothing keeps are refused now, not in the middle of a study.
      return { root: LEAF, nodes: 0, moves: {}, values: [], running: [], known: [] };
    },
    async ask(problem, state, firstTrial, count) {
      let now = state;
      const known = new Set(state.known);
      const proposals = Array.from({ length: count }, (_, i) => {
        const trial = firstTrial + i;
        const architecture = propose(problem, now, known, trial);
        now = { ...now, running: [...now.running, { trial, architecture }] };
        return { architecture, fidelity: problem.fidelities.length - 1, start: { kind: 'fresh' as const } };
      });
      return [now, proposals];
    },
    async tell(problem, state, outcomes) {
      return outcomes.reduce((now, outcome) => learn(problem, now, outcome), state);
    },
  };

  function propose(problem: Problem, state: MctsState, known: ReadonlySet<string>, trial: number): Architecture {
    const stream = proposalRng(problem, trial, 'mcts');
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const architecture = descend(problem, state, attempt / 50, stream);
      if (withinLimits(problem, architecture) && !known.has(fingerprint(architecture))) return architecture;
    }
    return sampleWithin(problem, trial);
  }

  /** `chance`: the probability that a decision is drawn uniformly. */
  function descend(problem: Problem, state: MctsState, chance: number, stream: Rng): Architecture {
    let node: Node | undefined = state.root;
    let running = state.running;
    return chooseAll(treeOf(problem), (name, domain) => {
      const moves = state.moves[name] ?? [];
      const tried = node?.children ?? [];
      const options = listOf(domain) ?? widened(domain, node, stream);
      const value =
        stream.float() < chance
          ? sampleValue(domain, stream)
          : node && node.visits > 0
            ? select(stream.shuffle(options), node, moves, countRunning(name, running))
            : rollOut(domain, options, moves, stream);
      node = tried.find((child) => equalValues(child.value, value))?.node;
      running = running.filter(({ architecture }) => takes(architecture, name, value));
      return value;
    });
  }

  /** The values of a continuous decision that are open at a node: those tried, or a new one. */
  function widened(domain: Domain, node: Node | undefined, stream: Rng): readonly DecisionValue[] {
    const tried = node?.children.map(({ value }) => value) ?? [];
    const most = 1 + options.widening * Math.sqrt(node?.visits ?? 0);
    return tried.length < most ? [sampleValue(domain, stream)] : tried;
  }

  /** The option of the largest upper bound; the first of equals. */
  function select(
    open: readonly DecisionValue[],
    node: Node,
    moves: readonly Move[],
    running: (value: DecisionValue) => number,
  ): DecisionValue {
    const ways = open.map((value) => {
      const child = node.children.find((one) => equalValues(one.value, value))?.node ?? LEAF;
      return { value, total: child.total, visits: child.visits + running(value) };
    });
    const all = Math.log(ways.reduce((sum, { visits }) => sum + visits, 1));
    const bounds = ways.map(({ value, total, visits }) => {
      if (options.rave === 0 && visits === 0) return Number.POSITIVE_INFINITY;
      const weight = options.rave / (options.rave + visits);
      const mean = (visits === 0 ? 0 : (1 - weight) * (total / visits)) + weight * expected(moves, value);
      // With RAVE an option that was never tried has a mean, too, and its bound is finite.
      return mean + options.exploration * Math.sqrt(all / (options.rave === 0 ? visits : visits + 1));
    });
    return open[bounds.indexOf(largest(bounds))] as DecisionValue;
  }

  function rollOut(domain: Domain, open: readonly DecisionValue[], moves: readonly Move[], stream: Rng): DecisionValue {
    if (options.temperature === 0) return stream.pick(open);
    const weights = open.map(
      (value) => weightOf(domain, value) * Math.exp(expected(moves, value) / options.temperature),
    );
    let left = stream.float() * weights.reduce((sum, weight) => sum + weight, 0);
    const drawn = weights.findIndex((weight) => {
      left -= weight;
      return left < 0;
    });
    return open[drawn] ?? (open.at(-1) as DecisionValue);
  }

  function learn(problem: Problem, state: MctsState, outcome: Outcome): MctsState {
    const { trial, architecture } = outcome;
    const running = state.running.filter((one) => one.trial !== trial);
    const now = { ...state, running, known: remember(state.known, architecture) };
    const score = scoreOf(problem, outcome);
    if (score === undefined) return now;
    const { rank, values } = rankAmong(state.values, score);
    const reward = rank ** 3;
    const path: (readonly [string, DecisionValue])[] = [];
    chooseAll(treeOf(problem), (name) => {
      const value = decided(architecture, name) as DecisionValue;
      path.push([name, value]);
      return value;
    });
    const [root, isNew] = visit(state.root, path, reward, state.nodes < options.nodes);
    const moves = Object.fromEntries(
      path.map(([name, value]) => [name, count(state.moves[name] ?? [], value, reward)]),
    );
    return { ...now, values, moves: { ...state.moves, ...moves }, root, nodes: state.nodes + Number(isNew) };
  }
}

/** A trial that takes the path counts on all its nodes; the first that is missing joins the tree, if there is room. */
function visit(
  node: Node,
  path: readonly (readonly [string, DecisionValue])[],
  reward: number,
  room: boolean,
): [Node, isNew: boolean] {
  const counted = { ...node, visits: node.visits + 1, total: node.total + reward };
  const [step, ...rest] = path;
  if (step === undefined) return [counted, false];
  const child = node.children.find(({ value }) => equalValues(value, step[1]));
  if (child === undefined) {
    if (!room) return [counted, false];
    const leaf = { value: step[1], node: { visits: 1, total: reward, children: [] } };
    return [{ ...counted, children: [...node.children, leaf] }, true];
  }
  const [below, isNew] = visit(child.node, rest, reward, room);
  const next = { value: child.value, node: below };
  return [{ ...counted, children: node.children.map((one) => (one === child ? next : one)) }, isNew];
}

function count(moves: readonly Move[], value: DecisionValue, reward: number): readonly Move[] {
  const found = moves.find((move) => equalValues(move.value, value));
  if (found === undefined) return [...moves, { value, visits: 1, total: reward }];
  const next = { value, visits: found.visits + 1, total: found.total + reward };
  return moves.map((move) => (move === found ? next : move));
}

/** The mean reward of a value wherever it was taken; one more visit, of reward 1/2, represents what is not known. */
function expected(moves: readonly Move[], value: DecisionValue): number {
  const move = moves.find((one) => equalValues(one.value, value));
  return move === undefined ? 0.5 : (move.total + 0.5) / (move.visits + 1);
}

/** How many of the running trials take a value. */
function countRunning(name: string, running: readonly Running[]): (value: DecisionValue) => number {
  return (value) => running.filter(({ architecture }) => takes(architecture, name, value)).length;
}

function takes(architecture: Architecture, name: string, value: DecisionValue): boolean {
  const found = decided(architecture, name);
  return found !== undefined && equalValues(found, value);
}
