/** The thread that sessions of `threadedRuntime` live in: does what messages ask, one after another. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../common/errors.ts';
import { nodeRuntime } from './node.node.ts';
import type { RuntimeTensor, Session } from './runtime.ts';
import type { Answer, Request, WireTensor } from './thread-messages.ts';

if (parentPort === null) throw new Error('session-thread is the entry of a worker thread');
const port = parentPort;
const runtime = nodeRuntime();
const sessions = new Map<number, Session>();
/** Device tensors cannot travel; their numbers do. */
const held = new Map<number, RuntimeTensor>();
let last = 0;

function fromWire(tensor: WireTensor): RuntimeTensor {
  if ('data' in tensor) return runtime.wrap(tensor);
  const found = held.get(tensor.held);
  if (found === undefined) throw new Error('the tensor has been disposed of');
  return found;
}

function toWire(tensor: RuntimeTensor): WireTensor {
  if (tensor.data !== undefined) return { shape: tensor.shape, data: tensor.data };
  held.set(++last, tensor);
  return { shape: tensor.shape, held: last };
}

async function answer(request: Request): Promise<NonNullable<Answer['result']>> {
  switch (request.kind) {
    case 'create': {
      const session = await runtime.createSession(request.model, request.options);
      sessions.set(request.session, session);
      return { inputs: session.inputs, outputs: session.outputs };
    }
    case 'run': {
      const tensors = (wired: readonly (readonly [string, WireTensor])[]) =>
        Object.fromEntries(wired.map(([name, tensor]) => [name, fromWire(tensor)]));
      const session = sessions.get(request.session);
      if (session === undefined) throw new Error('the session has been disposed of');
      const into = tensors(request.into);
      const before = session.busySeconds;
      const results = await session.run(tensors(request.feeds), into);
      const seconds = session.busySeconds - before;
      const fresh = Object.entries(results).filter(([name]) => into[name] === undefined);
      return { fresh: fresh.map(([name, tensor]) => [name, toWire(tensor)] as const), seconds };
    }
    case 'dispose':
      await sessions.get(request.session)?.dispose();
      sessions.delete(request.session);
      return {};
    case 'free':
      held.get(request.held)?.dispose();
      held.delete(request.held);
      return {};
    default:
      return request satisfies never;
  }
}

// Asynchronous steps must not interleave: a request waits for the one before it.
let queue: Promise<void> = Promise.resolve();
port.on('message', ({ id, request }: { id: number; request: Request }) => {
  queue = queue.then(async () => {
    try {
      port.postMessage({ id, result: await answer(request) } satisfies Answer);
    } catch (error) {
      port.postMessage({ id, error: messageOf(error) } satisfies Answer);
    }
  });
});
