import { createEngine } from '../engine/create.ts';
import type { Engine, EngineTraits } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { threadedRuntime } from '../engine/runtime/thread.node.ts';
import type { ModelTools } from '../strategy/index.ts';
import type { StudySettings } from '../study/spec.ts';

type MachineSettings = Pick<StudySettings, 'device' | 'threads' | 'layout'>;

/**
 * What the engine that the settings name turns out to be here. Throws UserError if the device is missing, before
 * anything of a study is written.
 */
export async function checkDevice(settings: MachineSettings): Promise<EngineTraits> {
  const engine = await openEngine(settings, 1);
  await engine.dispose();
  return engine.options;
}

/**
 * The engine that the settings name, on this machine, in one of `processes` processes that compute at the same time. Throws
 * UserError where the device is not there.
 */
export function openEngine({ device, threads, layout }: MachineSettings, processes: number): Promise<Engine> {
  return createEngine(threadedRuntime(), { device, threads, layout, spin: processes === 1 });
}

/** For a strategy whose model is a small network: an engine on one thread, opened once the model wants it. */
export function modelTools(): ModelTools {
  let engine: Promise<Engine> | undefined;
  return {
    engine() {
      engine ??= createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
      return engine;
    },
  };
}
