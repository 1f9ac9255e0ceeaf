import type { HostTensor, IntTensor, Shape } from '../graph/ir.ts';
import type { Feeds, Program, State } from './engine.ts';
import { type Arrangement, PLAIN, rearrange } from './onnx/blocked/layout.ts';
import type { Runtime, RuntimeTensor, Session, ValueInfo } from './runtime/runtime.ts';
import { type Entry, exchange, hostData, layOut, replaceCurrent, type StateEntries, spareBuffer } from './state.ts';

export interface ProgramParts {
  readonly runtime: Runtime;
  readonly session: Session;
  /** `value`: the output's name in the session; `entry`: the state entry that it replaces. */
  readonly outputs: readonly { readonly name: string; readonly value: string; readonly entry: string | undefined }[];
  /** How the memory of inputs, and of carried outputs by their names in the session, is laid out: PLAIN unless named. */
  readonly arrangements: {
    readonly inputs: Readonly<Record<string, Arrangement>>;
    readonly carried: Readonly<Record<string, Arrangement>>;
  };
  readonly block: number;
  /** Whether kept outputs are host memory. */
  readonly onHost: boolean;
  entriesOf(state: State): StateEntries;
  readonly compileSeconds: number;
}

/** A session with the rules of a program: what is fed, what is carried, in which order runs come. */
export function openProgram(parts: ProgramParts): Program {
  const { runtime, session, outputs, onHost, entriesOf, compileSeconds } = parts;
  const carries = outputs.filter(({ entry }) => entry !== undefined);
  /** Runs that were asked for and are not over, in order. */
  const asked: Promise<unknown>[] = [];
  let disposed = false;

  /** The carried outputs' entries, by the outputs' names in the session. */
  function carried(state: StateEntries | undefined): Map<string, Entry> {
    return new Map(
      carries.map(({ name, value, entry }) => {
        const found = state?.entries.get(entry ?? '');
        if (found === undefined)
          throw new Error(`output "${name}" goes into "${entry}", which the state does not have`);
        return [value, found];
      }),
    );
  }

  /**
   * Queues a run now, so that the device goes from one to the next without a gap. What the run writes is current from here
   * on, unless it fails: those behind it fail too, and each takes back what it did, the last one first.
   */
  async function onHostRun(feeds: Feeds, state: StateEntries | undefined, behind: () => Promise<unknown> | undefined) {
    const inputs = inputsOf(feeds, state);
    const targets = carried(state);
    const into = Object.fromEntries([...targets].map(([value, entry]) => [value, spareBuffer(runtime, entry)]));
    const ended = session.run(inputs, into);
    const undo = carries.map(({ value }) =>
      exchange(targets.get(value) as Entry, parts.arrangements.carried[value] ?? PLAIN),
    );
    try {
      return await ended;
    } catch (error) {
      await behind();
      for (const back of undo) back();
      throw error;
    }
  }

  /** The tensors that a run leaves on the device are known when it has ended. */
  async function onDeviceRun(feeds: Feeds, state: StateEntries | undefined, before: Promise<unknown> | undefined) {
    await before;
    const inputs = inputsOf(feeds, state);
    const targets = carried(state);
    const results = await session.run(inputs, {});
    for (const [value, entry] of targets) replaceCurrent(entry, results[value] as RuntimeTensor);
    return results;
  }

  const inputsOf = (feeds: Feeds, state: StateEntries | undefined) =>
    Object.fromEntries(session.inputs.map((info) => [info.name, fed(parts, info, feeds, state)]));

  return Object.freeze({
    compileSeconds,
    get busySeconds() {
      return session.busySeconds;
    },
    async run(feeds: Feeds, state?: State) {
      if (disposed) throw new Error('the program has been disposed of');
      const entries = state === undefined ? undefined : entriesOf(state);
      const release = entries === undefined ? () => {} : occupy(entries, carries.length > 0 ? session : undefined);
      const over = Promise.withResolvers<void>();
      // Runs that wait for it on the device fail with it, so no caller needs to wait.
      over.promise.catch(() => {});
      const before = asked.at(-1);
      asked.push(over.promise);
      const behind = () => asked[asked.indexOf(over.promise) + 1]?.catch(() => {});
      try {
        const results = await (onHost ? onHostRun(feeds, entries, behind) : onDeviceRun(feeds, entries, before));
        over.resolve();
        return Object.fromEntries(
          outputs
            .filter(({ entry }) => entry === undefined)
            .map(({ name, value }) => [name, { shape: results[value]?.shape ?? [], data: hostData(value, results) }]),
        );
      } catch (error) {
        over.reject(error);
        throw error;
      } finally {
        asked.splice(asked.indexOf(over.promise), 1);
        release();
      }
    },
    async dispose() {
      if (disposed) return;
      if (asked.length > 0) throw new Error('the program is running; dispose of it when the run has ended');
      disposed = true;
      await session.dispose();
    },
  });
}

/** Many runs may read a state at once, or one program may write it. Returns what ends the use. */
function occupy(state: StateEntries, writer: object | undefined): () => void {
  if (state.disposed) throw new Error('the state has been disposed of');
  const others = writer === undefined ? 0 : state.readers;
  if ((state.writer !== undefined && state.writer !== writer) || others > 0) {
    throw new Error('the state is in use by another run');
  }
  if (writer === undefined) state.readers++;
  else state.writes++;
  state.writer = writer;
  return () => {
    if (writer === undefined) state.readers--;
    else if (--state.writes === 0) state.writer = undefined;
  };
}

/** The tensor for one input, laid out as the program wants it: from the feeds first, then from the state. */
function fed(parts: ProgramParts, info: ValueInfo, feeds: Feeds, state: StateEntries | undefined): RuntimeTensor {
  const { name } = info;
  const given = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
  const entry = given === undefined ? state?.entries.get(name) : undefined;
  const found = given ?? entry;
  if (found === undefined) throw new Error(`input "${name}" is neither fed nor in the state`);
  if (!fits(found.shape, info.shape)) {
    throw new Error(`input "${name}" is [${found.shape}]; the program takes [${info.shape}]`);
  }
  const arrangement = parts.arrangements.inputs[name] ?? PLAIN;
  if (entry !== undefined) {
    layOut(parts.runtime, entry, arrangement, parts.block);
    return entry.current;
  }
  const { shape, data } = given as HostTensor | IntTensor;
  if (arrangement === PLAIN || data instanceof Int32Array)
    return parts.runtime.wrap({ shape, data } as HostTensor | IntTensor);
  return parts.runtime.wrap({ shape, data: rearrange(data, arrangement, parts.block, 'to blocked') });
}

/** A named dimension of the program fits any size. */
function fits(shape: Shape, wanted: ValueInfo['shape']): boolean {
  return shape.length === wanted.length && wanted.every((n, axis) => typeof n === 'string' || n === shape[axis]);
}
