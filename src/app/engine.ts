import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '../common/errors.ts';
import { entryModule } from '../common/package-files.node.ts';
import { createEngine } from '../engine/create.ts';
import type { Engine, EngineTraits } from '../engine/engine.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import { threadedRuntime } from '../engine/runtime/thread.node.ts';
import type { ModelTools } from '../strategy/index.ts';
import type { StudySettings } from '../study/spec.ts';
import { describeDeath } from '../study/worker/process.node.ts';

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
export async function openEngine({ device, threads, layout }: MachineSettings, processes: number): Promise<Engine> {
  if (device !== 'cpu') await tryGpu(device);
  return createEngine(threadedRuntime(), { device, threads, layout, spin: processes === 1 });
}

/**
 * Opens an engine on the GPU in another process. A graphics driver that is missing or broken writes warnings of its own to the terminal,
 * and may end the process. Throws UserError where the GPU cannot be used.
 */
async function tryGpu(device: MachineSettings['device']): Promise<void> {
  const reason = await new Promise<string>((resolve) => {
    const child = fork(fileURLToPath(entryModule('app/gpu-trial.node')), [device], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    child.on('message', (message) => resolve(String(message)));
    child.on('error', (error) => resolve(`device "${device}": it cannot be tried: ${error.message}`));
    child.on('exit', (code, signal) =>
      resolve(`device "${device}": a process that tried it ${describeDeath(code, signal)}`),
    );
  });
  if (reason !== '') throw new UserError(reason);
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
