import type { Engine, Program, State } from '../../engine/engine.ts';
import { interpret } from '../../graph/interpret.ts';
import { type Graph, type HostTensor, type Shape, sizeOf } from '../../graph/ir.ts';

/**
 * An engine over the reference interpreter: slow, float64 inside a run and float32 between runs, as every state is. For tests
 * that want training without a runtime.
 */
export function referenceEngine(): Engine {
  const states = new WeakMap<State, Map<string, HostTensor>>();

  function createState(values: Readonly<Record<string, HostTensor>>): State {
    const kept = new Map(Object.entries(values).map(([name, tensor]) => [name, toHost(tensor)]));
    const state: State = {
      names: [...kept.keys()],
      async read(names = [...kept.keys()]) {
        return Object.fromEntries(
          names.map((name) => {
            const found = kept.get(name);
            if (found === undefined) throw new Error(`the state has no "${name}"`);
            return [name, toHost(found)];
          }),
        );
      },
      dispose: () => kept.clear(),
    };
    states.set(state, kept);
    return state;
  }

  async function compile(graph: Graph, carries: Readonly<Record<string, string>> = {}): Promise<Program> {
    return {
      compileSeconds: 0,
      busySeconds: 0,
      async run(feeds, state) {
        const kept = (state === undefined ? undefined : states.get(state)) ?? new Map<string, HostTensor>();
        const result = interpret(graph, { ...Object.fromEntries(kept), ...feeds });
        const returned: Record<string, HostTensor> = {};
        for (const [name, tensor] of Object.entries(result)) {
          const entry = carries[name];
          if (entry === undefined) returned[name] = toHost(tensor);
          else kept.set(entry, toHost(tensor));
        }
        return returned;
      },
      dispose: async () => {},
    };
  }

  return {
    options: { device: 'cpu', threads: 1, spin: false, layout: 'portable', block: 0 },
    compile,
    createState,
    dispose: async () => {},
    load: () => Promise.reject(new Error('the reference engine runs graphs, not ONNX models')),
  };
}

function toHost({ shape, data }: { readonly shape: Shape; readonly data: ArrayLike<number> }): HostTensor {
  if (data.length !== sizeOf(shape)) throw new Error(`${data.length} values for shape [${shape}]`);
  return { shape, data: Float32Array.from(data) };
}

/** The reference engine, and how often it has compiled a graph. */
export function countingEngine(): { readonly engine: Engine; compiled(): number } {
  const engine = referenceEngine();
  let compiled = 0;
  const counting: Engine = {
    ...engine,
    compile(...args) {
      compiled++;
      return engine.compile(...args);
    },
  };
  return { engine: counting, compiled: () => compiled };
}
