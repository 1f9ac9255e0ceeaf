import type { Rng } from '../../common/random.ts';
import type { Feeds } from '../../engine/engine.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { SLOTS } from '../../train/batches.ts';
import type { Rollout } from './rollout.ts';

/** Rows of a rollout that follow one another in a lane and in an episode. */
interface Segment {
  readonly first: number;
  readonly count: number;
}

/** The shape of the batches of an actor-critic. */
export interface BatchForm {
  /** Sequences in a batch; of a network without a memory, sequences of one step. */
  readonly sequences: number;
  /** Steps in a sequence. */
  readonly length: number;
  /** Of an observation, without the batch. */
  readonly observation: readonly number[];
  readonly recurrent: boolean;
}

/** Cuts a rollout into segments of at most `length` steps; each episode begins a new one. */
function segmentsOf({ lanes, steps, begins }: Rollout, length: number): Segment[] {
  const segments: Segment[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    let first = lane * steps;
    const end = first + steps;
    for (let row = first + 1; row <= end; row++) {
      if (row < end && begins[row] === 0 && row - first < length) continue;
      segments.push({ first, count: row - first });
      first = row;
    }
  }
  return segments;
}

/** One pass over a rollout, in batches. Advantages are standardized in each batch. */
export function passOf(rollout: Rollout, form: BatchForm, random: Rng) {
  const order = random.shuffle(segmentsOf(rollout, form.length));
  return {
    /** Batches. */
    count: Math.ceil(order.length / form.sequences),
    /** Writes the batch of this number into `into`. */
    fill(number: number, into: ActorCriticFeeds): void {
      const segments = order.slice(number * form.sequences, (number + 1) * form.sequences);
      fillBatch(rollout, form, segments, into);
    },
  };
}

/** The arrays of a batch. */
export interface ActorCriticFeeds {
  /** [N, ...], or of sequences [N, F, T]. */
  readonly observation: HostTensor;
  /** [N, T, width] */
  readonly actions: HostTensor;
  /** [N, T, 1], as those that follow. */
  readonly advantages: HostTensor;
  readonly returns: HostTensor;
  readonly logProbabilities: HostTensor;
  readonly weight: HostTensor;
  /** [N, units] by name. */
  readonly memories: Readonly<Record<string, HostTensor>>;
}

/** Arrays that are used again SLOTS batches later. */
export function batchSlots(
  form: BatchForm,
  width: number,
  memory: readonly { readonly name: string; readonly units: number }[],
): { readonly arrays: ActorCriticFeeds; readonly feeds: Feeds }[] {
  const { sequences: n, length: t, observation, recurrent } = form;
  const zeros = (...shape: readonly number[]): HostTensor => ({
    shape,
    data: new Float32Array(shape.reduce((product, extent) => product * extent, 1)),
  });
  return Array.from({ length: SLOTS }, () => {
    const memories = Object.fromEntries(memory.map(({ name, units }) => [name, zeros(n, units)]));
    const rows = () => zeros(n, t, 1);
    const arrays = {
      observation: recurrent ? zeros(n, ...observation, t) : zeros(n, ...observation),
      actions: zeros(n, t, width),
      advantages: rows(),
      returns: rows(),
      logProbabilities: rows(),
      weight: rows(),
    };
    return { arrays: { ...arrays, memories }, feeds: { ...arrays, ...memories } };
  });
}

/** Missing steps of a sequence and missing sequences of the batch are zeros of weight 0. */
function fillBatch(
  rollout: Rollout,
  { length, recurrent }: BatchForm,
  segments: readonly Segment[],
  into: ActorCriticFeeds,
): void {
  const { observation, actions, advantages, returns, logProbabilities, weight, memories } = into;
  const [n = 1, , width = 1] = actions.shape;
  const size = observation.data.length / n / (recurrent ? length : 1);
  const steps = segments.reduce((sum, { count }) => sum + count, 0);
  const isFull = steps === n * length;
  if (!isFull)
    for (const { data } of [observation, actions, advantages, returns, logProbabilities, weight]) data.fill(0);
  const { shift, factor } = standardOf(rollout.advantages, segments);
  for (const [at, { first, count }] of segments.entries()) {
    for (let t = 0; t < count; t++) {
      const [row, to] = [first + t, at * length + t];
      for (let i = 0; i < width; i++) actions.data[to * width + i] = rollout.actions[row * width + i] as number;
      advantages.data[to] = ((rollout.advantages[row] as number) - shift) * factor;
      returns.data[to] = rollout.returns[row] as number;
      logProbabilities.data[to] = rollout.logProbabilities[row] as number;
      weight.data[to] = 1 / steps;
      for (let i = 0; i < size; i++) {
        const place = recurrent ? (at * size + i) * length + t : at * size + i;
        observation.data[place] = rollout.observations[row * size + i] as number;
      }
    }
    for (const [name, { data, shape }] of Object.entries(memories)) {
      const units = shape[1] ?? 1;
      const from = rollout.memories[name];
      if (from !== undefined) data.set(from.subarray(first * units, (first + 1) * units), at * units);
    }
  }
}

/** Mean and inverse deviation over the steps of a batch. */
function standardOf(values: Float32Array, segments: readonly Segment[]) {
  let [steps, sum, squares] = [0, 0, 0];
  for (const { first, count } of segments)
    for (let row = first; row < first + count; row++) {
      const value = values[row] as number;
      steps++;
      sum += value;
      squares += value * value;
    }
  const mean = sum / steps;
  const variance = Math.max(0, squares / steps - mean * mean);
  return { shift: mean, factor: 1 / (Math.sqrt(variance) + 1e-8) };
}
