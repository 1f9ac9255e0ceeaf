import type { HostTensor, Shape } from '../graph/ir.ts';
import type { Feeds, Program, State } from './engine.ts';
import { type Layout, permute } from './onnx/blocked/layout.ts';
import type { Runtime, RuntimeTensor, Session, ValueInfo } from './runtime/runtime.ts';
import { type Entry, hostData, layOut, replaceCurrent, type StateEntries, spareBuffer } from './state.ts';

export interface ProgramParts {
  readonly runtime: Runtime;
  readonly session: Session;
  /** `value`: the output's name in the session; `entry`: the state entry that it replaces. */
  readonly outputs: readonly { readonly name: string; readonly value: string; readonly entry: string | undefined }[];
  /** The inputs whose memory is not row-major; carried outputs are laid out as the entries that they replace. */
  readonly layouts: Readonly<Record<string, Layout>>;
  readonly block: number;
  /** Whether kept outputs are host memory. */
  readonly onHost: boolean;
  entriesOf(state: State): StateEntries;
  readonly compileSeconds: number;
}

/** A session with the rules of a program: what is fed, what is carried, one run at a time. */
export function openProgram(parts: ProgramParts): Program {
  const { runtime, session, outputs, onHost, entriesOf, compileSeconds } = parts;
  const carries = outputs.filter(({ entry }) => entry !== undefined);
  let running = false;
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

  async function run(feeds: Feeds, state: StateEntries | undefined): Promise<Record<string, HostTensor>> {
    const inputs = Object.fromEntries(session.inputs.map((info) => [info.name, fed(parts, info, feeds, state)]));
    const targets = carried(state);
    const into: Record<string, RuntimeTensor> = {};
    if (onHost) for (const [value, entry] of targets) into[value] = spareBuffer(runtime, entry);
    const results = await session.run(inputs, into);
    for (const { value, entry: name = '' } of carries) {
      replaceCurrent(targets.get(value) as Entry, results[value] as RuntimeTensor, parts.layouts[name] ?? 'plain');
    }
    return Object.fromEntries(
      outputs
        .filter(({ entry }) => entry === undefined)
        .map(({ name, value }) => [name, { shape: results[value]?.shape ?? [], data: hostData(value, results) }]),
    );
  }

  return Object.freeze({
    compileSeconds,
    get busySeconds() {
      return session.busySeconds;
    },
    async run(feeds: Feeds, state?: State) {
      if (disposed) throw new Error('the program has been disposed of');
      if (running) throw new Error('the program is running already; it runs once at a time');
      const entries = state === undefined ? undefined : entriesOf(state);
      const writes = carries.length > 0;
      const release = entries === undefined ? () => {} : occupy(entries, writes);
      running = true;
      try {
        return await run(feeds, entries);
      } finally {
        running = false;
        release();
      }
    },
    async dispose() {
      if (disposed) return;
      if (running) throw new Error('the program is running; dispose of it when the run has ended');
      disposed = true;
      await session.dispose();
    },
  });
}

/** Many runs may read a state at once, or one may write it. Returns what ends the use. */
function occupy(state: StateEntries, writes: boolean): () => void {
  if (state.disposed) throw new Error('the state has been disposed of');
  if (state.writing || (writes && state.readers > 0)) throw new Error('the state is in use by another run');
  if (writes) state.writing = true;
  else state.readers++;
  return () => {
    if (writes) state.writing = false;
    else state.readers--;
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
  const layout = parts.layouts[name] ?? 'plain';
  if (entry !== undefined) {
    layOut(parts.runtime, entry, layout, parts.block);
    return entry.current;
  }
  const { shape, data } = given as HostTensor;
  return parts.runtime.wrap({
    shape,
    data: layout === 'plain' ? data : permute(data, shape, layout, parts.block, 'to blocked'),
  });
}

/** A named dimension of the program fits any size. */
function fits(shape: Shape, wanted: ValueInfo['shape']): boolean {
  return shape.length === wanted.length && wanted.every((n, axis) => typeof n === 'string' || n === shape[axis]);
}
