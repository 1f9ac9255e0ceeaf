/** Times forms of one computation against each other. */
import { rng } from '../../src/common/random.ts';
import { createModel, type ModelBuilder } from '../../src/engine/onnx/model.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import type { Session, SessionOptions } from '../../src/engine/runtime/runtime.ts';
import { type HostTensor, type Shape, sizeOf } from '../../src/graph/ir.ts';

/** Adds the nodes of a form, and returns the name of its result. */
export type Form = (m: ModelBuilder, inputs: readonly string[]) => string;

export interface Case {
  readonly inputs: readonly Shape[];
  readonly output: Shape;
  /** All compute the same, unless `differ`; the first is what the others' results are compared with. */
  readonly forms: Readonly<Record<string, Form>>;
  readonly differ?: boolean;
}

/** Images [N, C, H, W] of one size. */
export type Size = readonly [number, number, number, number];

/** One computation at several sizes. */
export interface Family {
  /** The table that it stands in. */
  readonly table: string;
  readonly title: string;
  /** Of the forms, those that the engine takes. */
  readonly taken: readonly string[];
  at(size: Size): Case;
}

const runtime = nodeRuntime();
const random = rng('engine-forms');
/** So often a timed model does the same, on inputs that stay in the cache; it returns one number of each result. */
const REPEATS = 4;
const MILLISECONDS = 400;

interface Measured {
  readonly name: string;
  readonly ms: number;
  /** The largest difference from the first form's result, over its largest value. */
  readonly difference: number;
}

/** The least time of each form in ms; the forms take turns. */
export async function measure({ inputs, output, forms, differ = false }: Case, threads: number): Promise<Measured[]> {
  const options: SessionOptions = { device: 'cpu', threads, optimisation: 'none', keep: [] };
  const feeds = Object.fromEntries(inputs.map((shape, i) => [`x${i}`, runtime.wrap(noise(shape))]));
  const open = (form: Form, repeats: number): Promise<Session> => {
    const m = createModel('form');
    const names = inputs.map((shape, i) => {
      m.input(`x${i}`, shape);
      return `x${i}`;
    });
    if (repeats === 1) m.output('y', output, form(m, names));
    else {
      const first = (y: string) =>
        m.node('Slice', [m.node('Reshape', [y, m.ints([-1])]), m.ints([0]), m.ints([1]), m.ints([0])]);
      const results = Array.from({ length: repeats }, () => first(form(m, names)));
      m.output('y', [repeats], m.node('Concat', results, { axis: 0 }));
    }
    return runtime.createSession(m.encode(), options);
  };
  const runs: { name: string; session: Session; difference: number; ms: number }[] = [];
  let expected: Float32Array | undefined;
  for (const [name, form] of Object.entries(forms)) {
    const once = await open(form, 1);
    const found = (await once.run(feeds, {})).y?.data ?? new Float32Array();
    await once.dispose();
    expected ??= found.slice();
    const difference = differ ? 0 : largestDifference(found, expected);
    runs.push({ name, session: await open(form, REPEATS), difference, ms: Number.POSITIVE_INFINITY });
  }
  const end = performance.now() + MILLISECONDS * runs.length;
  for (let round = 0; round < 3 || performance.now() < end; round++) {
    for (const run of runs) {
      const start = performance.now();
      await run.session.run(feeds, {});
      if (round > 0) run.ms = Math.min(run.ms, (performance.now() - start) / REPEATS);
    }
  }
  for (const { session } of runs) await session.dispose();
  return runs;
}

function largestDifference(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  const most = (values: Float32Array) => values.reduce((largest, v) => Math.max(largest, Math.abs(v)), 0);
  return most(found.map((v, i) => v - (expected[i] ?? Number.NaN))) / most(expected);
}

function noise(shape: Shape): HostTensor {
  return { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => random.float() - 0.5) };
}
