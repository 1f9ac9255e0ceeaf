import { invalid, messageOf, UserError } from '../common/errors.ts';
import type { Graph, HostTensor, Shape } from '../graph/ir.ts';
import { rematerialize } from '../graph/passes/rematerialize.ts';
import { optimize } from '../graph/passes.ts';
import type { CompileOptions, Engine, EngineOptions, Program, State } from './engine.ts';
import { probeBlock } from './onnx/blocked/probe.ts';
import { lowerGraph } from './onnx/lower.ts';
import { createModel } from './onnx/model.ts';
import type { Target } from './onnx/value.ts';
import { openProgram } from './program.ts';
import { DEVICES, type Device, keepsOnDevice, type Runtime, type SessionOptions } from './runtime/runtime.ts';
import { openEntries, type StateEntries, stateOf } from './state.ts';

/** What models are written for. CUDA gets standard operators in the portable layout: those of the CPU it would compute there, or not at all. */
const TARGETS = { cpu: 'cpu', webgpu: 'webgpu', cuda: 'standard' } as const satisfies Readonly<Record<Device, Target>>;

/**
 * An engine on one device. Runs a tiny graph there first, and throws UserError, naming what is missing, if the device
 * cannot; likewise for an unknown device, and for a number of threads below 1. On the CPU it also finds
 * out, unless the portable layout is asked for, which blocks the processor's operators work in.
 */
export async function createEngine(runtime: Runtime, options: EngineOptions): Promise<Engine> {
  const { device, threads, spin = false, layout = 'auto' } = options;
  if (!DEVICES.includes(device)) {
    throw invalid('device', `"${device}" is unknown`, `devices are ${DEVICES.join(', ')}`);
  }
  if (!Number.isInteger(threads) || threads < 1) {
    throw invalid('threads', `found ${threads}`, 'a whole number from 1');
  }
  const session: SessionOptions = { device, threads, spin, optimization: 'none', keep: [] };
  await probe(runtime, session);
  const block = device === 'cpu' && layout === 'auto' ? await probeBlock(runtime, session) : 0;
  const states = new WeakMap<State, StateEntries>();
  const entriesOf = (state: State): StateEntries => {
    const found = states.get(state);
    if (found === undefined) throw new Error('the state belongs to another engine');
    return found;
  };

  return Object.freeze({
    options: Object.freeze({ device, threads, spin, layout, block }),
    createState(values: Readonly<Record<string, HostTensor>>): State {
      const entries = openEntries(runtime, values);
      const state = stateOf(runtime, session, entries, block);
      states.set(state, entries);
      return state;
    },
    async compile(
      graph: Graph,
      carries: Readonly<Record<string, string>> = {},
      { openBatch = [], memory = 'kept' }: CompileOptions = {},
    ): Promise<Program> {
      const start = performance.now();
      checkCarries(graph, carries);
      const { nodes, outputs } = rematerialize(optimize(graph));
      // Inside the session an output has a number, so that it may have the name of an input.
      const names = Object.keys(outputs);
      const numbered = Object.fromEntries(names.map((name, i) => [`$output${i}`, outputs[name] ?? Number.NaN]));
      const into = Object.fromEntries(
        names.flatMap((name, i) => (carries[name] === undefined ? [] : [[`$output${i}`, carries[name]] as const])),
      );
      const { model, inputs, carried } = lowerGraph(
        { nodes, outputs: numbered },
        { target: TARGETS[device], openBatch, block, carries: into },
      );
      const keep = names.flatMap((name, i) => (Object.hasOwn(carries, name) ? [`$output${i}`] : []));
      const created = await runtime.createSession(model, { ...session, keep, memory });
      return openProgram({
        runtime,
        session: created,
        outputs: names.map((name, i) => ({ name, value: `$output${i}`, entry: carries[name] })),
        arrangements: { inputs, carried },
        block,
        onHost: !keepsOnDevice(device),
        entriesOf,
        compileSeconds: (performance.now() - start) / 1000,
      });
    },
    dispose: () => runtime.close(),
    async load(model: Uint8Array): Promise<Program> {
      const start = performance.now();
      const created = await runtime.createSession(model, { ...session, optimization: 'all' });
      return openProgram({
        runtime,
        session: created,
        outputs: created.outputs.map(({ name }) => ({ name, value: name, entry: undefined })),
        arrangements: { inputs: {}, carried: {} },
        block,
        onHost: !keepsOnDevice(device),
        entriesOf,
        compileSeconds: (performance.now() - start) / 1000,
      });
    },
  });
}

/** Throws Error for a carry without its output, of two shapes, or of two outputs into one entry. */
function checkCarries({ nodes, outputs }: Graph, carries: Readonly<Record<string, string>>): void {
  const inputs = new Map<string, Shape>();
  for (const { op } of nodes) if (op.kind === 'input') inputs.set(op.name, op.shape);
  const taken = new Set<string>();
  for (const [output, entry] of Object.entries(carries)) {
    const [from, to] = [nodes[outputs[output] ?? -1]?.shape, inputs.get(entry)];
    const place = `carry "${output}" into "${entry}"`;
    if (from === undefined) throw new Error(`${place}: the graph has no such output`);
    // A graph need not read what it replaces; that the entry exists is checked when it runs.
    if (to !== undefined && `${from}` !== `${to}`)
      throw new Error(`${place}: the output is [${from}], the input [${to}]`);
    if (taken.has(entry)) throw new Error(`${place}: another output is carried there too`);
    taken.add(entry);
  }
}

/** 1 + 2 on the device: finds a missing driver now, with a message that helps, and not in the middle of a study. */
async function probe(runtime: Runtime, options: SessionOptions): Promise<void> {
  const model = createModel('probe');
  model.input('x', [2]);
  model.output('y', [2], model.node('Add', ['x', 'x']));
  const refuse = (reason: string) =>
    new UserError(
      `device "${options.device}": ${runtime.name} cannot use it: ${reason}; ${runtime.missing(options.device)}`,
    );
  let sum: Float32Array | undefined;
  try {
    const session = await runtime.createSession(model.encode(), options);
    try {
      const results = await session.run({ x: runtime.wrap({ shape: [2], data: Float32Array.of(1, 2) }) }, {});
      sum = results.y?.data;
    } finally {
      await session.dispose();
    }
  } catch (error) {
    throw refuse(reasonOf(messageOf(error)));
  }
  if (sum?.[0] !== 2 || sum[1] !== 4) throw refuse(`[1, 2] + [1, 2] is [${sum}] there`);
}

/** ONNX Runtime prefixes its source file and the condition that failed; the rest is the useful part. */
function reasonOf(message: string): string {
  const text = message.trim().split('\n')[0] ?? message;
  return text.replace(/^.* was false\.\s*/, '').replace(/^.*:\d+ .*?\)\s*/, '');
}
