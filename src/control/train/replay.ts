import type { Rng } from '../../common/random.ts';
import type { HostTensor } from '../../graph/ir.ts';
import { TrainingFailure } from '../../train/failure.ts';

type Tensors = Readonly<Record<string, HostTensor>>;

/** The last steps that were taken, up to a capacity; older ones are overwritten. */
export interface Replay {
  /** Steps that it holds. */
  count(): number;
  /** `ended`: nothing follows, because the episode has terminated. Observations are copied. */
  add(observation: Float32Array, action: number, reward: number, next: Float32Array, ended: boolean): void;
  /** Draws as many steps as `into` has room for, each with equal probability, with repetition. */
  draw(random: Rng, into: Drawn): void;
  /** All that it holds, to be continued from. */
  tensors(): Record<string, HostTensor>;
}

/** Arrays for B steps. */
export interface Drawn {
  /** [B, ...] */
  readonly observations: Float32Array;
  readonly next: Float32Array;
  /** [B], as those that follow. */
  readonly actions: Float32Array;
  readonly rewards: Float32Array;
  readonly ended: Float32Array;
}

const FIELDS = ['observations', 'next', 'actions', 'rewards', 'ended'] as const;

/** `size`: numbers in an observation. `from`: tensors that it continues from, if there are any. Throws TrainingFailure for those of another replay. */
export function openReplay(name: string, capacity: number, size: number, from: Tensors = {}): Replay {
  const wide = (field: (typeof FIELDS)[number]) => (field === 'observations' || field === 'next' ? size : 1);
  const kept = Object.fromEntries(FIELDS.map((field) => [field, new Float32Array(capacity * wide(field))])) as Record<
    (typeof FIELDS)[number],
    Float32Array
  >;
  let [next, filled] = [0, 0];
  const place = from[`${name}/place`];
  if (place !== undefined) {
    [next = 0, filled = 0] = place.data;
    for (const field of FIELDS) {
      const data = from[`${name}/${field}`]?.data;
      if (data === undefined || filled > capacity || data.length !== filled * wide(field))
        throw new TrainingFailure(`the checkpoint's ${name}/${field} does not hold ${filled} steps of this training`);
      kept[field].set(data);
    }
  }
  return {
    count: () => filled,
    add(observation, action, reward, after, ended) {
      kept.observations.set(observation, next * size);
      kept.next.set(after, next * size);
      kept.actions[next] = action;
      kept.rewards[next] = reward;
      kept.ended[next] = ended ? 1 : 0;
      next = (next + 1) % capacity;
      filled = Math.min(filled + 1, capacity);
    },
    draw(random, into) {
      for (let i = 0; i < into.actions.length; i++) {
        const at = random.int(filled);
        for (let k = 0; k < size; k++) {
          into.observations[i * size + k] = kept.observations[at * size + k] as number;
          into.next[i * size + k] = kept.next[at * size + k] as number;
        }
        into.actions[i] = kept.actions[at] as number;
        into.rewards[i] = kept.rewards[at] as number;
        into.ended[i] = kept.ended[at] as number;
      }
    },
    tensors: () => ({
      [`${name}/place`]: { shape: [2], data: Float32Array.of(next, filled) },
      ...Object.fromEntries(
        FIELDS.map((field) => {
          const data = kept[field].slice(0, filled * wide(field));
          return [`${name}/${field}`, { shape: [filled, wide(field)], data }];
        }),
      ),
    }),
  };
}
