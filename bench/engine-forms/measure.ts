/** Times forms of one computation against each other. */
import { rng } from '../../src/common/random.ts';
import { createModel, type ModelBuilder } from '../../src/engine/onnx/model.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import type { Session, SessionOptions } from '../../src/engine/runtime/runtime.ts';
import { type HostTensor, type Shape, sizeOf } from '../../src/graph/ir.ts';
import { watchOthers } from '../engine/contention.ts';

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
/** Forms take turns for so many milliseconds each, in all, before it is asked whether others disturbed them. */
const SPELL = 60;
/** So many spells without others are enough; after so many milliseconds, what there is is taken. */
const QUIET_SPELLS = 5;
const PATIENCE = 10_000;
/** Cores kept busy by others. */
const DISTURBED = 0.15;

interface Measured {
  readonly name: string;
  readonly ms: number;
  /** The largest difference from the first form's result, over its largest value. */
  readonly difference: number;
  /** Whether others kept the machine busy all the while. */
  readonly disturbed: boolean;
}

/** The least time of each form in ms; the forms take turns. */
export async function measure({ inputs, output, forms, differ = false }: Case, threads: number): Promise<Measured[]> {
  const options: SessionOptions = { device: 'cpu', threads, optimization: 'none', keep: [] };
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
  const runs: (Measured & { readonly session: Session })[] = [];
  let expected: Float32Array | undefined;
  for (const [name, form] of Object.entries(forms)) {
    const once = await open(form, 1);
    const found = (await once.run(feeds, {})).y?.data ?? new Float32Array();
    await once.dispose();
    expected ??= found.slice();
    const difference = differ ? 0 : largestDifference(found, expected);
    const session = await open(form, REPEATS);
    await session.run(feeds, {});
    runs.push({ name, difference, ms: Number.POSITIVE_INFINITY, disturbed: true, session });
  }
  const end = performance.now() + PATIENCE;
  for (let quiet = 0; quiet < QUIET_SPELLS && performance.now() < end; ) {
    const others = watchOthers();
    const spell = performance.now() + SPELL * runs.length;
    const least = runs.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < 2 || performance.now() < spell; round++) {
      for (const [i, { session }] of runs.entries()) {
        const start = performance.now();
        await session.run(feeds, {});
        least[i] = Math.min(least[i] ?? 0, (performance.now() - start) / REPEATS);
      }
    }
    const disturbed = (others() ?? 0) > DISTURBED;
    if (!disturbed) quiet++;
    for (const [i, run] of runs.entries()) {
      if (disturbed && !run.disturbed) continue;
      const before = run.disturbed && !disturbed ? Number.POSITIVE_INFINITY : run.ms;
      runs[i] = { ...run, disturbed, ms: Math.min(before, least[i] ?? 0) };
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
