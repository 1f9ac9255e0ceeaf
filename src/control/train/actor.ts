import type { Program, State } from '../../engine/engine.ts';
import { type HostTensor, sizeOf } from '../../graph/ir.ts';
import type { CarriedState } from '../../network/network.ts';
import { nextState } from '../../train/forward.ts';
import { type Environment, observationSize } from '../environment.ts';

/** A network that acts in N lanes at once, with what it remembers of each. */
export interface Actor {
  readonly lanes: number;
  /** The observations that the last run read, [N, ...], scaled. */
  readonly seen: Float32Array;
  /** What it remembers of each lane before the next `act`: [N, units] each. Empty without a memory. */
  readonly memory: readonly Memory[];
  /** Outputs, [N, outputs], for raw observations, [N, ...]; it remembers. The array is a new one each time. */
  act(observations: Float32Array): Promise<Float32Array>;
  /** The same without remembering. */
  look(observations: Float32Array): Promise<Float32Array>;
  /** Forgets what it remembers of a lane. */
  begin(lane: number): void;
}

export interface Memory {
  readonly name: string;
  readonly units: number;
  readonly data: Float32Array;
}

/** `scale` writes what the network is to see of raw observations. */
export function openActor(
  program: Program,
  { states, state }: { readonly states: readonly CarriedState[]; readonly state: State },
  { observation }: Environment,
  lanes: number,
  scale: (raw: Float32Array, into: Float32Array) => void,
): Actor {
  const size = observationSize(observation);
  const seen = new Float32Array(lanes * size);
  const memory = states.map(({ name, shape }) => {
    const units = shape[1] ?? 1;
    return { name, units, data: new Float32Array(lanes * units) };
  });
  const shape = states.length > 0 ? [lanes, size, 1] : [lanes, ...observation.shape];
  const feeds: Record<string, HostTensor> = { observation: { shape, data: seen } };
  for (const { name, units, data } of memory) feeds[name] = { shape: [lanes, units], data };
  if (sizeOf(shape) !== seen.length) throw new Error(`observations [${shape}] are not ${seen.length} numbers`);

  async function run(observations: Float32Array) {
    scale(observations, seen);
    return program.run(feeds, state);
  }
  return {
    lanes,
    seen,
    memory,
    async act(observations) {
      const results = await run(observations);
      for (const { name, data } of memory) data.set(results[nextState(name)]?.data ?? []);
      return (results.output as HostTensor).data;
    },
    look: async (observations) => ((await run(observations)).output as HostTensor).data,
    begin(lane) {
      for (const { units, data } of memory) data.fill(0, lane * units, (lane + 1) * units);
    },
  };
}
