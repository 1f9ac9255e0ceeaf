/**
 * onnxruntime-node in its own thread. Its `run` computes on the calling thread; here JavaScript continues meanwhile,
 * and prepares the next batch. Host tensors lie in shared memory: state is never copied, a feed once, on its way in.
 *
 * A process that calls `process.exit` in the middle of a run is aborted by Node, since the thread cannot be stopped there;
 * who wants to end at once ends by a signal.
 */
import { Worker } from 'node:worker_threads';
import { entryModule } from '../../common/package-files.node.ts';
import type { HostTensor, IntTensor } from '../../graph/ir.ts';
import { nodeRuntime } from './node.node.ts';
import type { Runtime, RuntimeTensor, SessionOptions } from './runtime.ts';
import { type Answer, NONE, ONCE, type Placed, REMEMBERED, type Request, type WireTensor } from './thread-messages.ts';

type Result = NonNullable<Answer['result']>;

/**
 * A runtime whose sessions share one thread, started with the first of them; it does not keep the process alive. If the
 * thread ends, so does the runtime: all that is asked of it fails with the reason.
 */
export function threadedRuntime(): Runtime {
  const { name, missing } = nodeRuntime();
  const wires = new WeakMap<RuntimeTensor, WireTensor>();
  const thread = openThread();
  const shared = sharedMemory();
  let sessions = 0;

  function received(wire: WireTensor): RuntimeTensor {
    const tensor = Object.freeze({
      shape: wire.shape,
      data: 'data' in wire && wire.data instanceof Float32Array ? wire.data : undefined,
      dispose: () => {
        if ('held' in wire) void thread.tell({ kind: 'free', held: wire.held });
      },
    });
    wires.set(tensor, wire);
    return tensor;
  }

  const wireOf = (tensor: RuntimeTensor): WireTensor => {
    const wire = wires.get(tensor);
    if (wire === undefined) throw new Error('the tensor belongs to another runtime');
    return wire;
  };

  return {
    name,
    missing,
    wrap: ({ shape, data }: HostTensor | IntTensor) => received({ shape, data: shared(data) }),
    close: thread.close,
    async createSession(model: Uint8Array, options: SessionOptions) {
      const session = sessions++;
      const { inputs = [], outputs = [] } = await thread.ask({ kind: 'create', session, model, options });
      const place = openPlaces();
      let busySeconds = 0;
      let [runs, unanswered] = [0, 0];
      return {
        inputs,
        outputs,
        get busySeconds() {
          return busySeconds;
        },
        async run(feeds, into) {
          const given = [
            ...inputs.map(({ name: input }) => feeds[input]),
            ...outputs.map(({ name: output }) => into[output]),
          ];
          const tensors = place(given.map((tensor) => (tensor === undefined ? undefined : wireOf(tensor))));
          const behind = unanswered > 0 ? runs : undefined;
          unanswered++;
          const asked = thread.ask({ kind: 'run', session, run: ++runs, behind, tensors });
          const { fresh = [], seconds = 0 } = await asked.finally(() => unanswered--);
          busySeconds += seconds;
          return { ...into, ...Object.fromEntries(fresh.map(([output, wire]) => [output, received(wire)])) };
        },
        dispose: () => thread.tell({ kind: 'dispose', session }),
      };
    },
  };
}

interface Place {
  /** By slot. */
  readonly tensors: WireTensor[];
  /** How many have been sent so far; the next takes the place of the oldest. */
  sent: number;
}

/** Tells where the thread finds the tensors of a session's runs, and which of them it has yet to be sent. */
function openPlaces(): (tensors: readonly (WireTensor | undefined)[]) => Placed {
  const places: Place[] = [];
  return (tensors) => {
    const sent: (readonly [number, number, WireTensor])[] = [];
    const used = tensors.map((tensor, at) => {
      if (tensor === undefined) return NONE;
      if ('held' in tensor) {
        sent.push([at, ONCE, tensor]);
        return ONCE;
      }
      places[at] ??= { tensors: [], sent: 0 };
      const place = places[at];
      const found = place.tensors.findIndex((known) => isSame(known, tensor));
      if (found >= 0) return found;
      const slot = place.sent++ % REMEMBERED;
      place.tensors[slot] = tensor;
      sent.push([at, slot, tensor]);
      return slot;
    });
    return { used, sent };
  };
}

function isSame(a: WireTensor, b: WireTensor): boolean {
  return 'data' in a && 'data' in b && a.data === b.data && (a.shape === b.shape || `${a.shape}` === `${b.shape}`);
}

/**
 * Copies values into memory that threads share, unless they lie there already. An array that is fed again gets the memory
 * it had: the garbage collector does not feel how large that is, and would let it pile up.
 */
function sharedMemory(): (data: Float32Array | Int32Array) => Float32Array | Int32Array {
  const copies = new WeakMap<object, Float32Array | Int32Array>();
  return (data) => {
    if (data.buffer instanceof SharedArrayBuffer) return data;
    const memory = () => new SharedArrayBuffer(data.byteLength);
    const copy =
      copies.get(data) ?? (data instanceof Int32Array ? new Int32Array(memory()) : new Float32Array(memory()));
    copies.set(data, copy);
    copy.set(data);
    return copy;
  };
}

interface Thread {
  ask(request: Request): Promise<Result>;
  /** Asks the thread to dispose of something; a thread that has ended holds nothing any more. */
  tell(request: Request): Promise<void>;
  close(): Promise<void>;
}

/** Asks the thread, which starts with the first question. */
function openThread(): Thread {
  const waiting = new Map<number, { resolve(result: Result): void; reject(error: Error): void }>();
  let worker: Worker | undefined;
  let over: Error | undefined;
  let last = 0;

  function end(reason: Error): void {
    over ??= reason;
    for (const { reject } of waiting.values()) reject(over);
    waiting.clear();
  }

  function start(): Worker {
    // Without the flags of this process, which may not fit a thread.
    const started = new Worker(entryModule('engine/runtime/session-thread.node'), { execArgv: [] });
    started.on('message', ({ id, error, result = {} }: Answer) => {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (waiting.size === 0) started.unref();
      if (error === undefined) asked?.resolve(result);
      else asked?.reject(new Error(error));
    });
    started.on('error', end);
    started.on('exit', (code) => end(new Error(`the engine's thread ended with code ${code}`)));
    return started;
  }

  async function ask(request: Request): Promise<Result> {
    if (over !== undefined) throw over;
    worker ??= start();
    worker.ref();
    const id = last++;
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, request });
    return promise;
  }

  return {
    ask,
    async tell(request) {
      await ask(request).catch((error: unknown) => {
        if (error !== over) throw error;
      });
    },
    async close() {
      over ??= new Error('the engine has been disposed of');
      await worker?.terminate();
    },
  };
}
