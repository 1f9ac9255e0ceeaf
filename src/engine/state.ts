/**
 * Tensors that stay with the runtime between runs. On the CPU each has two buffers, so that a step copies and allocates
 * nothing; on another device each run leaves a fresh device tensor, from ONNX Runtime's own pool, and frees the old one.
 */
import { type HostTensor, type Shape, sizeOf } from '../graph/ir.ts';
import type { State } from './engine.ts';
import { type Arrangement, PLAIN, rearrange, sameArrangement } from './onnx/blocked/layout.ts';
import { createModel } from './onnx/model.ts';
import type { Runtime, RuntimeTensor, SessionOptions } from './runtime/runtime.ts';

export interface Entry {
  readonly shape: Shape;
  /** How the values lie in memory: programs convert them when they enter, readers when they leave. */
  arrangement: Arrangement;
  /** What runs read. */
  current: RuntimeTensor;
  /** On the CPU, where the next run that carries this entry writes; then the two change places. */
  spare: RuntimeTensor | undefined;
}

/** A state as the engine sees it. */
export interface StateEntries {
  readonly entries: ReadonlyMap<string, Entry>;
  /** Runs that have it in use now. */
  readers: number;
  /** What carries into it now (by its session), in how many runs. */
  writer: object | undefined;
  writes: number;
  disposed: boolean;
}

export function openEntries(runtime: Runtime, values: Readonly<Record<string, HostTensor>>): StateEntries {
  const entries = Object.entries(values).map(([name, { shape, data }]): [string, Entry] => {
    if (data.length !== sizeOf(shape)) throw new Error(`state "${name}": ${data.length} values for shape [${shape}]`);
    return [
      name,
      { shape, arrangement: PLAIN, current: runtime.wrap({ shape, data: data.slice() }), spare: undefined },
    ];
  });
  return { entries: new Map(entries), readers: 0, writer: undefined, writes: 0, disposed: false };
}

/** Where a run writes the entry, if its outputs are host memory. */
export function spareBuffer(runtime: Runtime, entry: Entry): RuntimeTensor {
  entry.spare ??= runtime.wrap({ shape: entry.shape, data: new Float32Array(sizeOf(entry.shape)) });
  return entry.spare;
}

/**
 * On the host: what a run that was asked for writes, in a layout, is what the next one reads. Returns what takes this
 * back, if the run has failed.
 */
export function exchange(entry: Entry, arrangement: Arrangement): () => void {
  const before = { ...entry };
  if (entry.spare === undefined) throw new Error('the entry has no second buffer');
  Object.assign(entry, { current: entry.spare, spare: entry.current, arrangement });
  return () => Object.assign(entry, before);
}

/** On a device: what a run wrote is current, and what was current is freed. */
export function replaceCurrent(entry: Entry, written: RuntimeTensor): void {
  entry.current.dispose();
  entry.current = written;
}

/** Has an entry on the host in an arrangement. A run that reads it at this moment keeps its own tensor. */
export function layOut(runtime: Runtime, entry: Entry, arrangement: Arrangement, block: number): void {
  if (sameArrangement(entry.arrangement, arrangement)) return;
  const data = rearrange(plainData(entry, block), arrangement, block, 'to blocked');
  entry.current = runtime.wrap({ shape: entry.shape, data });
  entry.arrangement = arrangement;
}

/** The values of an entry on the host, row-major: a copy if it is laid out otherwise. */
function plainData({ current, arrangement }: Entry, block: number): Float32Array {
  if (current.data === undefined) throw new Error('only tensors on the host are laid out');
  return arrangement === PLAIN ? current.data : rearrange(current.data, arrangement, block, 'to plain');
}

/** The state as the outside sees it. */
export function stateOf(runtime: Runtime, options: SessionOptions, state: StateEntries, block: number): State {
  const names = Object.freeze([...state.entries.keys()]);
  return Object.freeze({
    names,
    async read(wanted: readonly string[] = names) {
      if (state.disposed) throw new Error('the state has been disposed of');
      if (state.writer !== undefined)
        throw new Error('the state is being written by a run; read it when the run has ended');
      const entries = wanted.map((name): [string, Entry] => {
        const entry = state.entries.get(name);
        if (entry === undefined) throw new Error(`the state has no entry "${name}"`);
        return [name, entry];
      });
      state.readers++;
      try {
        return Object.fromEntries(await copies(runtime, options, entries, block));
      } finally {
        state.readers--;
      }
    },
    dispose() {
      if (state.disposed) return;
      if (state.writer !== undefined || state.readers > 0) throw new Error('the state is in use by a run');
      state.disposed = true;
      for (const { current, spare } of state.entries.values()) {
        current.dispose();
        spare?.dispose();
      }
    },
  });
}

/** Host tensors are copied; device tensors are brought to the host by a model that does nothing else. */
async function copies(
  runtime: Runtime,
  options: SessionOptions,
  entries: readonly (readonly [string, Entry])[],
  block: number,
): Promise<[string, HostTensor][]> {
  const onDevice = entries.filter(([, { current }]) => current.data === undefined);
  const fetched = new Map<string, Float32Array>();
  if (onDevice.length > 0) {
    const model = createModel('read');
    for (const [i, [, { shape }]] of onDevice.entries()) {
      model.input(`i${i}`, shape);
      model.output(`o${i}`, shape, `i${i}`);
    }
    const session = await runtime.createSession(model.encode(), options);
    try {
      const results = await session.run(
        Object.fromEntries(onDevice.map(([, { current }], i) => [`i${i}`, current])),
        {},
      );
      for (const [i, [name]] of onDevice.entries()) fetched.set(name, hostData(`o${i}`, results));
    } finally {
      await session.dispose();
    }
  }
  return entries.map(([name, entry]) => [
    name,
    { shape: entry.shape, data: fetched.get(name) ?? plainData(entry, block).slice() },
  ]);
}

/** The values of a run's output, which is on the host. */
export function hostData(name: string, results: Readonly<Record<string, RuntimeTensor>>): Float32Array {
  const data = results[name]?.data;
  if (data === undefined) throw new Error(`output "${name}" did not come back to the host`);
  return data;
}
