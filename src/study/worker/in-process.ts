import type { Artifacts } from '../../estimate/estimator.ts';
import { createPool, type WorkerPool } from './pool.ts';
import type { Bench, FromWorker, Spawn, ToWorker } from './protocol.ts';
import { serve } from './serve.ts';

/**
 * One worker in this very process, over the same messages: for library use, tests and the browser. A trial that takes
 * the process down takes the study's loop with it. `artifacts`: the store's.
 */
export function inProcessPool<S>(bench: Bench<S>, artifacts: Artifacts): WorkerPool {
  const spawn: Spawn = (_, receive, exited) => {
    const life = new AbortController();
    let deliver: (message: ToWorker) => void = () => {};
    const later = (body: () => void) => queueMicrotask(() => life.signal.aborted || body());
    serve(
      {
        send: (message: FromWorker) => later(() => receive(structuredClone(message))),
        onMessage: (listener) => {
          deliver = listener;
        },
      },
      async () => bench,
      () => artifacts,
      life.signal,
    );
    return {
      send: (message) => later(() => deliver(structuredClone(message))),
      kill() {
        if (life.signal.aborted) return;
        life.abort(new Error('the worker was stopped'));
        queueMicrotask(() => exited('stopped'));
      },
    };
  };
  return createPool({ workers: 1, study: '', settings: null, spawn });
}
