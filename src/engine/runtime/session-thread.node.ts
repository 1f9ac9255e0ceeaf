/** The thread that sessions of `threadedRuntime` live in: does what messages ask, one after another. */
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { messageOf } from '../../common/errors.ts';
import type { HostTensor, IntTensor } from '../../graph/ir.ts';
import { nodeRuntime } from './node.node.ts';
import type { RuntimeTensor, Session } from './runtime.ts';
import { type Answer, NONE, ONCE, type Placed, type Request, type WireTensor } from './thread-messages.ts';

if (parentPort === null) throw new Error('session-thread is the entry of a worker thread');
const port = parentPort;
const runtime = nodeRuntime();
interface Opened {
  readonly session: Session;
  /** By place and slot: see `Placed`. */
  readonly known: readonly (RuntimeTensor | undefined)[][];
  /** The last run that failed. */
  failed: number | undefined;
}
const sessions = new Map<number, Opened>();
/** Device tensors cannot travel; their numbers do. */
const held = new Map<number, RuntimeTensor>();
let last = 0;

function fromWire(tensor: WireTensor): RuntimeTensor {
  if ('data' in tensor) return runtime.wrap(tensor as HostTensor | IntTensor);
  const found = held.get(tensor.held);
  if (found === undefined) throw new Error('the tensor has been disposed of');
  return found;
}

function toWire(tensor: RuntimeTensor): WireTensor {
  if (tensor.data !== undefined) return { shape: tensor.shape, data: tensor.data };
  held.set(++last, tensor);
  return { shape: tensor.shape, held: last };
}

/** The tensors of a run by name, inputs first; those it has not met before are remembered. */
function arrange({ session, known }: Opened, { used, sent }: Placed): Record<string, RuntimeTensor>[] {
  // A tensor of the device may be gone; by then the others are remembered, as the other side believes they are.
  for (const device of [false, true]) {
    for (const [place, slot, tensor] of sent) {
      const tensors = known[place];
      if (tensors !== undefined && 'held' in tensor === device) tensors[slot] = fromWire(tensor);
    }
  }
  let place = 0;
  return [session.inputs, session.outputs].map((infos) => {
    const named: Record<string, RuntimeTensor> = {};
    for (const { name } of infos) {
      const slot = used[place] ?? NONE;
      const tensors = known[place++];
      const tensor = tensors?.[slot];
      if (tensor !== undefined) named[name] = tensor;
      if (slot === ONCE && tensors !== undefined) tensors[ONCE] = undefined;
    }
    return named;
  });
}

async function runOnce(
  opened: Opened,
  { behind, tensors }: Request & { kind: 'run' },
): Promise<NonNullable<Answer['result']>> {
  const { session } = opened;
  const [feeds = {}, into = {}] = arrange(opened, tensors);
  if (behind !== undefined && opened.failed === behind) throw new Error('a run before it failed');
  const before = session.busySeconds;
  const results = await session.run(feeds, into);
  const seconds = session.busySeconds - before;
  const fresh = Object.entries(results).filter(([name]) => into[name] === undefined);
  return { fresh: fresh.map(([name, tensor]) => [name, toWire(tensor)] as const), seconds };
}

async function answer(request: Request): Promise<NonNullable<Answer['result']>> {
  switch (request.kind) {
    case 'create': {
      const session = await runtime.createSession(request.model, request.options);
      const known = [...session.inputs, ...session.outputs].map(() => []);
      sessions.set(request.session, { session, known, failed: undefined });
      return { inputs: session.inputs, outputs: session.outputs };
    }
    case 'run': {
      const opened = sessions.get(request.session);
      if (opened === undefined) throw new Error('the session has been disposed of');
      try {
        return await runOnce(opened, request);
      } catch (error) {
        opened.failed = request.run;
        throw error;
      }
    }
    case 'dispose':
      await sessions.get(request.session)?.session.dispose();
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

interface Message {
  readonly id: number;
  readonly request: Request;
}
const waiting: Message[] = [];
let working = false;

/** One request after another, since their asynchronous steps must not interleave. */
async function work(): Promise<void> {
  working = true;
  for (let message = next(); message !== undefined; message = next()) {
    const { id, request } = message;
    try {
      port.postMessage({ id, result: await answer(request) } satisfies Answer);
    } catch (error) {
      port.postMessage({ id, error: messageOf(error) } satisfies Answer);
    }
  }
  working = false;
}

/** Looks for what came during a run itself: through the event loop it would arrive later, and the device would wait. */
function next(): Message | undefined {
  return waiting.shift() ?? (receiveMessageOnPort(port)?.message as Message | undefined);
}

port.on('message', (message: Message) => {
  waiting.push(message);
  if (!working) void work();
});
