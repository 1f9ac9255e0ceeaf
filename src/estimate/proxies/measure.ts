/** Proxies of the architectures of one space, on one engine. */
import type { METRICS } from '../../common/metrics.ts';
import type { SearchData } from '../../data/dataset.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Architecture, Space } from '../../space/space.ts';
import { hasSupernet, resolve, supernet } from '../../space/tree/resolve.ts';
import { TrainingFailure } from '../../train/failure.ts';
import type { NetworkOnData } from '../../train/forward.ts';
import { type ProxyBatch, readBatch } from './batch.ts';
import { costScores, skipReach } from './counts.ts';
import { openPrograms, type Programs, READOUTS } from './programs.ts';
import { trainingSpeed } from './speed.ts';

const OTHERS = [
  'params',
  'flops',
  'skipReach',
  'synflow',
  'logSynflow',
  'zen',
] as const satisfies readonly (keyof typeof METRICS)[];

/** `speed`: training steps per second on this machine. */
export type ProxyName = keyof typeof READOUTS | (typeof OTHERS)[number] | 'speed';
/** Every proxy but `speed`, which is another one at each measurement; of each, more is thought to be better. */
export const PROXIES: readonly ProxyName[] = [...OTHERS, ...(Object.keys(READOUTS) as (keyof typeof READOUTS)[])];

export type ProxyScores = Readonly<Partial<Record<ProxyName, number>>>;

export interface ProxyOptions {
  readonly engine: Engine;
  readonly data: SearchData;
  /** Those of `PROXIES` by default. */
  readonly proxies?: readonly ProxyName[];
  /** Training samples that gradients and activations are taken on; 64 by default, as in the literature. */
  readonly batchSize?: number;
  /** Names the weights, the samples and Zen-score's noise: the same for all architectures, so that they differ in nothing else. 0 by default. */
  readonly seed?: number;
  /** Milliseconds, for durations; the system's monotonic clock by default. */
  readonly now?: () => number;
}

/** Measures architectures of one space, one after another. */
export interface Proxies {
  /**
   * `names`: some of the proxies that are open, all by default. Throws TrainingFailure where the network cannot be built on this data, UserError
   * for no member of the space.
   */
  measure(architecture: Architecture, names?: readonly ProxyName[]): Promise<ProxyScores>;
  /** Seconds spent so far on building graphs and creating sessions. */
  readonly compileSeconds: number;
  dispose(): Promise<void>;
}

/**
 * Opens the proxies of a space. Where its supernet can be built with switches (`network/switch.ts`) there is one program for all its
 * architectures, compiled at the first measurement; elsewhere each architecture has programs of its own, which takes far longer than running
 * them. The scores are the same but for rounding.
 */
export function openProxies(space: Space, options: ProxyOptions): Proxies {
  const { engine, data, proxies = PROXIES, batchSize = 64, seed = 0, now } = options;
  const { info, task } = data;
  const about = { info, resolution: 1, ...(task && { task }) };
  const wanted = new Set(proxies);
  let compileSeconds = 0;
  let batch: Promise<ProxyBatch> | undefined;
  let shared: Promise<Programs | undefined> | undefined;

  const compile = async <T>(build: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const built = await build();
    compileSeconds += (performance.now() - start) / 1000;
    return built;
  };
  const openOn = (on: NetworkOnData) =>
    compile(async () => {
      batch ??= readBatch(data, batchSize, seed);
      return openPrograms(engine, on, wanted, await batch, seed);
    });

  /** The programs of the supernet; undefined: its choices cannot be switches, since they decide sizes. */
  const openSupernet = async (): Promise<Programs | undefined> => {
    if (!hasSupernet(space)) return undefined;
    try {
      return await openOn({ ...about, network: supernet(space), choices: 'switch' });
    } catch (error) {
      if (error instanceof TrainingFailure) return undefined;
      throw error;
    }
  };

  return {
    get compileSeconds() {
      return compileSeconds;
    },
    async measure(architecture, names = proxies) {
      const network = resolve(space, architecture);
      const counted = wanted.has('params') || wanted.has('flops');
      const counts = { ...(counted && costScores(network, info, task)), skipReach: skipReach(network) };
      const scores: Partial<Record<ProxyName, number>> = {};
      shared ??= openSupernet();
      const known = await shared;
      const opened = known ?? (await openOn({ ...about, network }));
      try {
        Object.assign(scores, counts, await opened.measure(architecture));
        if (names.includes('speed')) scores.speed = await trainingSpeed(engine, data, network, batchSize, now);
      } finally {
        if (known === undefined) await opened.dispose();
      }
      return Object.fromEntries(names.map((name) => [name, scores[name]]));
    },
    async dispose() {
      await (await shared)?.dispose();
    },
  };
}
