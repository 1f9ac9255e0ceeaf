import { join } from 'node:path';
import { fileArtifacts } from '../store/artifacts.node.ts';
import type { MakeBench, ToWorker } from './protocol.ts';
import { serve } from './serve.ts';

/**
 * What the entry module of a worker process calls, once: estimates the trials that the study's process sends, until that
 * process is gone. Throws Error in a process that `processPool` did not start.
 */
export function serveTrials<S>(makeBench: MakeBench<S>): void {
  const send = process.send?.bind(process);
  if (!send) throw new Error('this module is the entry of a worker process; a study starts it');
  // By a signal: `process.exit` would wait for, and break, a run in the engine's thread.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  // A terminal sends Ctrl-C (and SIGHUP when it closes) to the whole group of processes; what becomes of the trial is for the study's to say.
  for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
  // The reader of standard error may have closed it.
  process.stderr.on('error', () => {});
  serve(
    {
      send: (message) => send(message),
      onMessage: (listener) => process.on('message', (m) => listener(m as ToWorker)),
    },
    makeBench,
    ({ study }) => fileArtifacts(join(study, 'artefacts')),
  );
}
