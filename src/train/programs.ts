import type { CompileOptions, Engine, Program } from '../engine/engine.ts';
import { programBytes } from '../engine/memory.ts';
import type { Graph } from '../graph/ir.ts';
import type { StepTask } from '../task/task.ts';
import { MemoryShortage } from './failure.ts';
import type { NetworkOnData } from './forward.ts';
import {
  type InferenceOnState,
  inferenceOnState,
  type TrainingGraph,
  trainingGraph,
  type UpdateSettings,
  updateSettings,
} from './program.ts';
import { isAveraged } from './weight-average.ts';

/** A compiled program, leased to one user; `built` is what its graph was built with, the graph itself aside. */
export interface ProgramLease<Built> {
  readonly built: Built;
  readonly program: Program;
  /** Memory that it takes, by prediction. */
  readonly bytes: number;
  /** Returns it, to be leased again or disposed of. A second call does nothing. */
  release(): Promise<void>;
}

/**
 * The programs of an engine. Building the graph of a network and creating its session takes longer than a step or two of
 * it, so a returned one is kept for the next request of the same program: the next seed of a confirmation, the next
 * rung of a trial that was paused. Passed in where it is wanted; one process, one of these.
 */
export interface Programs {
  /** Throws TrainingFailure when the network cannot be built on this data, MemoryShortage when it needs too much. */
  training(
    on: NetworkOnData<StepTask>,
    settings: UpdateSettings,
    batchSize: number,
  ): Promise<ProgramLease<Omit<TrainingGraph, 'graph'>>>;
  /** Over the state of a training program. Throws as `training`. */
  inference(on: NetworkOnData<StepTask>, batchSize: number): Promise<ProgramLease<Omit<InferenceOnState, 'graph'>>>;
  /** A program of any other kind, such as a step of a supernet. Throws what `build` throws, and MemoryShortage. */
  program<G extends { readonly graph: Graph }>(order: ProgramOrder<G>): Promise<ProgramLease<Omit<G, 'graph'>>>;
  /** Disposes of all programs that are not leased; one that is given back later is disposed of at once. */
  dispose(): Promise<void>;
}

/** What a program is built from. */
export interface ProgramOrder<G> {
  /** Names `build`: with `on`, `settings` and `batchSize` it says which program is meant. */
  readonly kind: string;
  readonly on: NetworkOnData<StepTask>;
  /** Plain JSON. */
  readonly settings?: object;
  readonly batchSize: number;
  build(): G;
  /** As `Engine.compile` takes it; nothing by default. */
  carriesOf?(built: G): Readonly<Record<string, string>>;
  readonly compile?: CompileOptions;
}

export interface ProgramsOptions {
  /** Unused programs to keep; 32 by default, 0: none. */
  readonly keep?: number;
  /**
   * Bytes that all programs, those in use and those that are kept, may take together by prediction: kept ones are disposed of
   * for a new one, and one that does not fit even so is refused. Those of the last training may fill it, all that are kept
   * a quarter of it. Without a limit by default.
   */
  readonly memory?: number;
}

/** A program that is not in use. */
interface Idle {
  readonly key: string;
  readonly bytes: number;
  readonly built: object;
  readonly program: Program;
  /** A task of the user's own is functions, which no key can name. */
  readonly task: StepTask | undefined;
}

/** Its steps and its validation. */
const OF_A_TRAINING = 2;

/** Opens the programs of an engine, none of them compiled yet. */
export function openPrograms(engine: Engine, options: ProgramsOptions = {}): Programs {
  const { keep = 32, memory = Number.POSITIVE_INFINITY } = options;
  /** The one that was used last stands last. */
  const idle: Idle[] = [];
  const idleBytes = () => idle.reduce((sum, { bytes }) => sum + bytes, 0);
  let lentBytes = 0;
  let disposed = false;

  /** Lets kept programs go, the least recently used first, until `wanted` is true. */
  async function evictUntil(wanted: () => boolean): Promise<void> {
    while (!wanted()) {
      const oldest = idle.shift();
      if (oldest === undefined) return;
      await oldest.program.dispose();
    }
  }

  function lend<Built extends object>(
    { key, task }: Pick<Idle, 'key' | 'task'>,
    bytes: number,
    built: Built,
    program: Program,
  ): ProgramLease<Built> {
    let back = false;
    return {
      built,
      program,
      bytes,
      async release() {
        if (back) return;
        back = true;
        lentBytes -= bytes;
        const known = idle.some((other) => other.key === key && other.task === task);
        if (disposed || keep === 0 || known) return program.dispose();
        idle.push({ key, task, bytes, built, program });
        await evictUntil(() => idle.length <= keep && (idle.length <= OF_A_TRAINING || idleBytes() <= memory / 4));
      },
    };
  }

  async function borrow<G extends { readonly graph: Graph }>(
    of: Pick<Idle, 'key' | 'task'>,
    build: () => G,
    carriesOf: (built: G) => Readonly<Record<string, string>>,
    compile: CompileOptions = {},
  ): Promise<ProgramLease<Omit<G, 'graph'>>> {
    const at = idle.findIndex((one) => one.key === of.key && one.task === of.task);
    const [kept] = at < 0 ? [] : idle.splice(at, 1);
    if (kept !== undefined) {
      lentBytes += kept.bytes;
      // The key names the kind of graph and all that it is built from.
      return lend(of, kept.bytes, kept.built as Omit<G, 'graph'>, kept.program);
    }
    const whole = build();
    const { graph, ...built } = whole;
    const bytes = programBytes(graph, engine.options.block);
    const needed = lentBytes + bytes;
    if (needed > memory) throw new MemoryShortage(needed, memory);
    lentBytes += bytes;
    try {
      await evictUntil(() => lentBytes + idleBytes() <= memory);
      return lend(of, bytes, built, await engine.compile(graph, carriesOf(whole), compile));
    } catch (error) {
      lentBytes -= bytes;
      throw error;
    }
  }

  return {
    training(on, settings, batchSize) {
      // How fast an average moves is fed, and no part of the program.
      const used = { ...updateSettings(settings), weightAverage: isAveraged(settings) ? 1 : 0 };
      return borrow(
        { key: keyOf('training', on, used, batchSize), task: on.task },
        () => trainingGraph(on, used, batchSize),
        ({ carries }) => carries,
      );
    },
    inference: (on, batchSize) =>
      borrow(
        { key: keyOf('inference', on, undefined, batchSize), task: on.task },
        () => inferenceOnState(on, batchSize),
        () => ({}),
      ),
    program: ({ kind, on, settings, batchSize, build, carriesOf = () => ({}), compile }) =>
      borrow({ key: keyOf(kind, on, settings, batchSize), task: on.task }, build, carriesOf, compile),
    async dispose() {
      disposed = true;
      await evictUntil(() => false);
    },
  };
}

/** All that a graph is made from, as text: networks and what is known of data are plain JSON. */
function keyOf(kind: string, on: NetworkOnData<StepTask>, settings: object | undefined, batchSize: number): string {
  return JSON.stringify([
    kind,
    on.network,
    on.choices,
    on.info,
    on.resolution,
    on.state,
    on.length,
    settings,
    batchSize,
  ]);
}
