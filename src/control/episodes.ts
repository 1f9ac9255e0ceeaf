/** Whole episodes under a policy: what a policy is worth, and the recording of one of its episodes. */
import { rng } from '../common/random.ts';
import { actionSize, type Environment, type Episode, type Lanes, observationSize } from './environment.ts';

/** What decides on actions, for several lanes at once. */
export interface Policy {
  /**
   * Writes an action for each of the lanes: observations [N, ...shape], actions [N] whole numbers of a discrete environment, [N, size] of a
   * continuous one. Lanes whose episode has ended are among them; what is written for those does not count.
   */
  act(observations: Float32Array, actions: Float32Array): void;
  /** Forgets what it remembers of a lane, whose next episode begins. Left out by a policy without a memory. */
  begin?(lane: number): void;
}

export interface PolicyEvaluationOptions {
  /** Episodes. Default: 100. */
  readonly episodes?: number;
  /** Lanes that run side by side, which changes no result of a policy that treats lanes alike. Default: all episodes, at most 64. */
  readonly lanes?: number;
  /** Labels of the random streams: episode i begins with `rng(...labels, i)`. Default: `['evaluation']`. */
  readonly labels?: readonly (string | number)[];
}

/** What a policy has done in an environment. */
export interface PolicyEvaluation {
  readonly meanReturn: number;
  /** Standard deviation of the returns over episodes (n - 1); 0 for a single episode. */
  readonly deviation: number;
  /** Fraction of the episodes that succeeded. */
  readonly successRate: number;
  readonly meanSteps: number;
  /** In the order of their numbers. */
  readonly episodes: readonly Episode[];
}

/**
 * Plays whole episodes and sums them up. The random stream of an episode follows from `labels` and its number alone, so that policies are
 * compared on the same episodes, and on others than they were trained on by other labels. Throws UserError for actions that are none.
 */
export function evaluatePolicy(
  environment: Environment,
  policy: Policy,
  { episodes: count = 100, lanes: most = 64, labels = ['evaluation'] }: PolicyEvaluationOptions = {},
): PolicyEvaluation {
  const lanes = environment.open(Math.max(1, Math.min(count, most)));
  const actions = new Float32Array(lanes.count * actionSize(environment.action));
  try {
    const queue = episodeQueue(lanes, count, (lane, number) => {
      lanes.reset(lane, rng(...labels, number));
      policy.begin?.(lane);
    });
    while (queue.open()) {
      policy.act(lanes.observations, actions);
      lanes.step(actions);
      queue.advance();
    }
    return summary(queue.episodes);
  } finally {
    lanes.close();
  }
}

/** Which episode each lane plays. `episodes` are those that have ended, by their numbers. */
export interface EpisodeQueue {
  readonly episodes: readonly Episode[];
  /** Whether any lane still plays. */
  open(): boolean;
  /** Comes after a step: keeps the episodes that it has ended, and begins the next ones in their lanes. */
  advance(): void;
}

/** Deals `count` episodes to the lanes, and begins the first ones. A lane for which none is left stays as it is. */
export function episodeQueue(lanes: Lanes, count: number, begin: (lane: number, number: number) => void): EpisodeQueue {
  const playing: (number | undefined)[] = [];
  const episodes: Episode[] = [];
  let begun = 0;
  const next = (lane: number) => {
    playing[lane] = begun < count ? begun++ : undefined;
    if (playing[lane] !== undefined) begin(lane, playing[lane]);
  };
  for (let lane = 0; lane < lanes.count; lane++) next(lane);
  return {
    episodes,
    open: () => playing.some((number) => number !== undefined),
    advance() {
      for (const [lane, number] of playing.entries()) {
        if (number === undefined || !hasEnded(lanes, lane)) continue;
        episodes[number] = lanes.episode(lane);
        next(lane);
      }
    },
  };
}

const hasEnded = ({ terminated, truncated }: Lanes, lane: number): boolean =>
  terminated[lane] === 1 || truncated[lane] === 1;

function summary(episodes: readonly Episode[]): PolicyEvaluation {
  const meanOf = (value: (episode: Episode) => number) =>
    episodes.reduce((sum, episode) => sum + value(episode), 0) / episodes.length;
  const meanReturn = meanOf((episode) => episode.return);
  const squares = episodes.reduce((sum, episode) => sum + (episode.return - meanReturn) ** 2, 0);
  return {
    meanReturn,
    deviation: Math.sqrt(squares / Math.max(1, episodes.length - 1)),
    successRate: meanOf(({ succeeded }) => Number(succeeded)),
    meanSteps: meanOf(({ steps }) => steps),
    episodes,
  };
}

/** An episode as figures draw it. */
export interface EpisodeRecording {
  /** The start, and what each step has led to: the states where the environment names its state, or else the observations. */
  readonly frames: readonly Float64Array[];
  readonly rewards: readonly number[];
  readonly episode: Episode;
}

/** Records one episode, begun with `rng(...labels)`; of long ones the first `most` steps (default 10,000). */
export function recordEpisode(
  environment: Environment,
  policy: Policy,
  labels: readonly (string | number)[] = ['evaluation', 0],
  most = 10_000,
): EpisodeRecording {
  const recorder = openRecorder(environment, labels, most);
  try {
    const actions = new Float32Array(actionSize(environment.action));
    policy.begin?.(0);
    while (recorder.runs()) {
      policy.act(recorder.observations, actions);
      recorder.take(actions);
    }
    return recorder.recording();
  } finally {
    recorder.close();
  }
}

/** An episode that is recorded while it is played. */
export interface Recorder {
  /** [1, ...shape] */
  readonly observations: Float32Array;
  runs(): boolean;
  take(actions: Float32Array): void;
  recording(): EpisodeRecording;
  close(): void;
}

export function openRecorder(environment: Environment, labels: readonly (string | number)[], most = 10_000): Recorder {
  const lanes = environment.open(1);
  const size = observationSize(environment.observation);
  const frame = () => Float64Array.from(lanes.states?.of(0) ?? lanes.observations.subarray(0, size));
  lanes.reset(0, rng(...labels));
  const frames = [frame()];
  const rewards: number[] = [];
  return {
    observations: lanes.observations,
    runs: () => !hasEnded(lanes, 0) && rewards.length < most,
    take(actions) {
      lanes.step(actions);
      frames.push(frame());
      rewards.push(lanes.rewards[0] as number);
    },
    recording: () => ({ frames, rewards, episode: lanes.episode(0) }),
    close: () => lanes.close(),
  };
}
