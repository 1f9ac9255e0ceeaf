import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Json } from '../../common/json.ts';
import { createPool, type WorkerPool } from './pool.ts';
import type { FromWorker, Spawn } from './protocol.ts';

export interface ProcessPoolOptions {
  readonly workers: number;
  /** The module that calls `serveTrials`. */
  readonly entry: URL;
  /** The study's folder. */
  readonly study: string;
  /** Handed to the entry module with the set-up. */
  readonly settings: Json;
}

/** Characters of the end of a worker's standard error, kept to explain its death. */
const LAST_WORDS = 2000;

/** Workers in separate processes: one that runs out of memory takes no more with it than its trial. */
export function processPool({ workers, entry, study, settings }: ProcessPoolOptions): WorkerPool {
  return createPool({ workers, study, settings, spawn: forker(entry) });
}

function forker(entry: URL): Spawn {
  return (_, receive, exited) => {
    const child = fork(fileURLToPath(entry), { serialization: 'advanced', stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let lastWords = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      lastWords = (lastWords + text).slice(-LAST_WORDS);
    });
    child.on('message', (message) => receive(message as FromWorker));
    child.on('error', (error) => {
      lastWords += error.message;
      if (child.pid === undefined) exited(`could not be started: ${lastWords}`);
    });
    child.on('close', (code, signal) => exited(describeDeath(code, signal, lastWords.trim())));
    return {
      send: (message) => {
        // A worker that has just died is reported by its exit.
        if (child.connected) child.send(message, () => {});
      },
      kill: () => child.kill('SIGKILL'),
    };
  };
}

/** `killed by SIGKILL, as when memory runs out` */
export function describeDeath(code: number | null, signal: string | null, lastWords = ''): string {
  const how = signal === null ? `exited with code ${code}` : `killed by ${signal}`;
  const why = signal === 'SIGKILL' ? ', as when memory runs out' : '';
  return `${how}${why}${lastWords === '' ? '' : `: ${lastWords}`}`;
}
