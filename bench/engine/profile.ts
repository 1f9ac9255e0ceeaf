/**
 * A process of bench/engine.ts that takes one run apart by operator, with ONNX Runtime's own profiler. That slows a run down,
 * so it is never one of those timed. Takes a `WorkOrder` for one action; prints one JSON line, operators by falling time.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import onnxProto from 'onnx-proto';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createEngine } from '../../src/engine/create.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import type { Runtime, RuntimeTensor, SessionOptions } from '../../src/engine/runtime/runtime.ts';
import type { WorkOrder } from './order.ts';
import type { Operator } from './profile-operators.ts';
import { openWork } from './work.ts';

/** What the engine last ran, and on what. */
interface Run {
  readonly model: Uint8Array;
  readonly options: SessionOptions;
  readonly feeds: Readonly<Record<string, RuntimeTensor>>;
}

/** A runtime that remembers its last run. */
function recording(runtime: Runtime): Runtime & { last(): Run } {
  let last: Run | undefined;
  return {
    ...runtime,
    async createSession(model, options) {
      const session = await runtime.createSession(model, options);
      return {
        ...session,
        run(feeds, into) {
          last = { model, options, feeds };
          return session.run(feeds, into);
        },
      };
    },
    last() {
      if (last === undefined) throw new Error('nothing has run');
      return last;
    },
  };
}

/** The profiler's events of `runs` runs after a first one, which is another: it lays out memory. */
async function events({ model, options, feeds }: Run, runs: number): Promise<readonly unknown[]> {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-profile-'));
  try {
    const session = await InferenceSession.create(model, {
      executionProviders: ['cpu'],
      graphOptimizationLevel: options.optimization === 'none' ? 'disabled' : 'all',
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      enableMemPattern: false,
      extra: { session: { intra_op: { allow_spinning: '1' } } },
      enableProfiling: true,
      profileFilePrefix: join(folder, 'run'),
    });
    const tensors = Object.fromEntries(
      Object.entries(feeds).map(([name, { shape, data }]) => [name, new Tensor('float32', data ?? [], shape)]),
    );
    for (let i = 0; i < 1 + runs; i++) await session.run(tensors);
    session.endProfiling();
    const [file] = readdirSync(folder);
    return JSON.parse(readFileSync(join(folder, file ?? ''), 'utf8')) as unknown[];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An event of a node's kernel. */
interface Kernel {
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name: string };
}

function isKernel(event: unknown): event is Kernel {
  const { cat, name } = event as Partial<Record<string, unknown>>;
  return cat === 'Node' && typeof name === 'string' && name.endsWith('_kernel_time');
}

function operatorsOf(model: Uint8Array, kernels: readonly Kernel[], runs: number): Operator[] {
  const domains = new Map(
    onnxProto.onnx.ModelProto.decode(model).graph?.node?.map(({ name, domain }) => [name ?? '', domain ?? '']),
  );
  const found = new Map<string, { type: string; domain: string; events: number; microseconds: number }>();
  for (const { name, dur, args } of kernels.slice(kernels.length / (1 + runs))) {
    const domain = domains.get(name.replace(/_kernel_time$/u, '')) ?? '';
    const key = `${domain} ${args.op_name}`;
    const sum = found.get(key) ?? { type: args.op_name, domain, events: 0, microseconds: 0 };
    sum.events++;
    sum.microseconds += dur;
    found.set(key, sum);
  }
  const total = [...found.values()].reduce((sum, { microseconds }) => sum + microseconds, 0);
  return [...found.values()]
    .map(({ type, domain, events: count, microseconds }) => ({
      ...{ type, domain, nodes: count / runs, milliseconds: microseconds / runs / 1000 },
      share: microseconds / total,
    }))
    .sort((a, b) => b.milliseconds - a.milliseconds);
}

const order = JSON.parse(process.argv[2] ?? '') as WorkOrder;
const runtime = recording(nodeRuntime());
const engine = await createEngine(runtime, { device: 'cpu', threads: order.threads, layout: order.layout });
const work = await openWork(engine, order)(order.actions[0] ?? '');
await work.run();
const last = runtime.last();
const kernels = (await events(last, order.runs)).filter(isKernel);
process.stdout.write(`${JSON.stringify(operatorsOf(last.model, kernels, order.runs))}\n`);
