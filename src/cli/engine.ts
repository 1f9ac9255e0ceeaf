import { createEngine } from '../engine/create.ts';
import type { Engine } from '../engine/engine.ts';
import { threadedRuntime } from '../engine/runtime/thread.node.ts';
import type { StudySettings } from './config.ts';

/** Throws UserError where the device is not there: a study is told so before anything is written. */
export async function checkDevice(settings: Pick<StudySettings, 'device' | 'threads'>): Promise<void> {
  await (await openEngine(settings)).dispose();
}

/** The engine that the settings name, on this machine. Throws UserError where the device is not there. */
export function openEngine({ device, threads }: Pick<StudySettings, 'device' | 'threads'>): Promise<Engine> {
  return createEngine(threadedRuntime(), { device, threads });
}
