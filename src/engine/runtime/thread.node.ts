/**
 * onnxruntime-node in a thread of its own. Its `run` computes on the calling thread; here JavaScript goes on meanwhile,
 * and prepares the next batch. Host tensors lie in shared memory, so nothing is copied on the way to the thread and back.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { HostTensor } from '../../graph/ir.ts';
import { nodeRuntime } from './node.node.ts';
import type { Runtime, RuntimeTensor, SessionOptions } from './runtime.ts';
import type { Answer, Request, WireTensor } from './thread-messages.ts';

type Result = NonNullable<Answer['result']>;

/** A runtime whose sessions share one thread, started with the first of them; it does not keep the process alive. */
export function threadedRuntime(): Runtime {
  const { name, missing } = nodeRuntime();
  const wires = new WeakMap<RuntimeTensor, WireTensor>();
  const thread = openThread();
  let sessions = 0;

  function received(wire: WireTensor): RuntimeTensor {
    const tensor = Object.freeze({
      shape: wire.shape,
      data: 'data' in wire ? wire.data : undefined,
      dispose: () => {
        if ('held' in wire) void thread.ask({ kind: 'free', held: wire.held });
      },
    });
    wires.set(tensor, wire);
    return tensor;
  }

  const wired = (tensors: Readonly<Record<string, RuntimeTensor>>) =>
    Object.entries(tensors).map(([input, tensor]): [string, WireTensor] => {
      const wire = wires.get(tensor);
      if (wire === undefined) throw new Error('the tensor belongs to another runtime');
      return [input, wire];
    });

  return {
    name,
    missing,
    wrap: ({ shape, data }: HostTensor) => received({ shape, data: shared(data) }),
    async createSession(model: Uint8Array, options: SessionOptions) {
      const session = sessions++;
      const { inputs = [], outputs = [] } = await thread.ask({ kind: 'create', session, model, options });
      return {
        inputs,
        outputs,
        async run(feeds, into) {
          const { fresh = [] } = await thread.ask({ kind: 'run', session, feeds: wired(feeds), into: wired(into) });
          return { ...into, ...Object.fromEntries(fresh.map(([output, wire]) => [output, received(wire)])) };
        },
        dispose: async () => void (await thread.ask({ kind: 'dispose', session })),
      };
    },
  };
}

/** The same values in memory that threads share; copied unless they are there already. */
function shared(data: Float32Array): Float32Array {
  if (data.buffer instanceof SharedArrayBuffer) return data;
  const copy = new Float32Array(new SharedArrayBuffer(data.byteLength));
  copy.set(data);
  return copy;
}

/** Asks the thread, which starts with the first question. A thread that ends rejects what is unanswered. */
function openThread(): { ask(request: Request): Promise<Result> } {
  const waiting = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>();
  let worker: Worker | undefined;
  let last = 0;

  function ended(error: Error): void {
    worker = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }

  function start(): Worker {
    // Source in the repository, JavaScript in the package.
    const entry = new URL(`./session-thread.node${extname(import.meta.url)}`, import.meta.url);
    const started = new Worker(entry);
    started.on('message', ({ id, error, result = {} }: Answer) => {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (waiting.size === 0) started.unref();
      if (error === undefined) asked?.resolve(result);
      else asked?.reject(new Error(error));
    });
    started.on('error', ended);
    started.on('exit', (code) => ended(new Error(`the engine's thread ended with code ${code}`)));
    return started;
  }

  return {
    ask(request) {
      worker ??= start();
      worker.ref();
      const id = last++;
      const answered = new Promise<Result>((resolve, reject) => waiting.set(id, { resolve, reject }));
      worker.postMessage({ id, request });
      return answered;
    },
  };
}
