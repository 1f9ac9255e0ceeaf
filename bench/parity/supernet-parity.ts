/**
 * Parity of the DARTS supernet with PyTorch: the same weights, the same architecture parameters and the same batch give the
 * same loss and the same gradients, by weights and by architecture parameters; norm-wise relative error below 1e-3, exit
 * code 1 otherwise. PyTorch's network is the one that speed is compared with, `torch_supernet.py` in the folder `--peers`.
 *
 *     python3 -m venv DIR && DIR/bin/pip install torch numpy
 *     npx node --conditions=netsmith-source bench/parity/supernet-parity.ts --python DIR/bin/python
 *
 * Small by default; the network of the paper: `--channels 16 --cells 8 --batch 64 --size 32`. `--float64` has PyTorch also
 * compute in float64, which shows how far rounding alone takes two right implementations apart; `--layout portable` has
 * Netsmith leave the blocked layout; `--seed` gives other numbers.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import { rng } from '../../src/common/random.ts';
import type { DatasetInfo } from '../../src/data/dataset.ts';
import { createEngine } from '../../src/engine/create.ts';
import type { Feeds } from '../../src/engine/engine.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import { type HostTensor, type Shape, sizeOf } from '../../src/graph/ir.ts';
import { gradientOf, supernetSteps } from '../../src/oneshot/mixture-steps.ts';
import { darts, supernet } from '../../src/space/index.ts';
import { optimizerOf } from '../../src/train/optimizers.ts';
import { freshTensors } from '../../src/train/program.ts';
import { joinTensors, splitTensors } from '../../src/train/vectors.ts';
import { parseFlags } from '../support/flags.ts';

const LIMIT = 1e-3;
const CLASSES = 10;
const SETTINGS = { optimizer: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0, clipNorm: 0 } as const;

const flags = parseFlags({
  python: { type: 'string' },
  peers: { type: 'string', default: '../shared/peers' },
  channels: { type: 'string', default: '4' },
  cells: { type: 'string', default: '3' },
  batch: { type: 'string', default: '8' },
  size: { type: 'string', default: '16' },
  seed: { type: 'string', default: '1' },
  threads: { type: 'string', default: '2' },
  layout: { type: 'string', default: 'auto' },
  float64: { type: 'boolean', default: false },
});
const { python } = flags;
if (python === undefined) throw new Error('--python PATH is needed: a Python with torch and numpy');
const layout = flags.layout === 'portable' ? 'portable' : 'auto';
if (layout !== flags.layout) throw new Error('--layout is auto or portable');
const [channels, cells, batch, size, seed, threads] = [
  flags.channels,
  flags.cells,
  flags.batch,
  flags.size,
  flags.seed,
  flags.threads,
].map(Number) as [number, number, number, number, number, number];
const seeded = (...labels: readonly string[]) => rng(seed, ...labels);
const say = (line: string) => process.stdout.write(`${line}\n`);

const info: DatasetInfo = {
  name: 'noise',
  kind: 'classification',
  input: [3, size, size],
  outputs: CLASSES,
  labels: Array.from({ length: CLASSES }, (_, i) => String(i)),
  mean: [0, 0, 0],
  deviation: [1, 1, 1],
  counts: { train: batch, valid: 0, test: 0 },
  notes: [],
};
const network = supernet(darts.create(info, { search: true, channels, cells }));
const steps = supernetSteps({ network, info, resolution: 1 }, SETTINGS, { weightDecay: 0 }, batch);
const { parameters, architecture } = steps.weightStep;
const named = ({ path, shape }: { readonly path: string; readonly shape: Shape }) => ({ path, shape });
const compared = [...parameters, ...architecture].map(named);
const statistics = steps.weightStep.statistics.map(named);
const state = freshTensors(steps.state, seeded);
// Fresh ones are nearly equal: that would hide a row or a column in the wrong place.
for (const { path } of architecture) {
  const random = seeded('spread', path);
  const { data } = tensorOf(state, path);
  for (let k = 0; k < data.length; k++) data[k] = random.normal();
}
const { x, targets } = makeBatch();

const found = new Map<string, Found>([['Netsmith', await computeHere()]]);
for (const format of flags.float64 ? ['float32', 'float64'] : ['float32']) {
  found.set(`PyTorch in ${format}`, computeThere(python, format));
}
report();

interface Found {
  readonly loss: number;
  /** Of parameters and architecture, by path. */
  readonly gradients: ReadonlyMap<string, Float32Array>;
  /** Running means and variances after the step, by path: what each layer of the forward pass has come to. */
  readonly statistics: ReadonlyMap<string, Float32Array>;
}

function tensorOf(tensors: Readonly<Record<string, HostTensor>>, name: string): HostTensor {
  const found = tensors[name];
  if (found === undefined) throw new Error(`there is no tensor "${name}"`);
  return found;
}

function makeBatch(): Record<'x' | 'targets', HostTensor> {
  const random = seeded('batch');
  const tensor = (shape: Shape, make: () => number) => ({
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, make),
  });
  const images = tensor([batch, ...info.input], () => random.normal());
  const labels = tensor([batch, CLASSES], () => 0);
  for (let i = 0; i < batch; i++) labels.data[i * CLASSES + random.int(CLASSES)] = 1;
  return { x: images, targets: labels };
}

/** One step of each kind at learning rate 0: the momentum is then the gradient of the weights. */
async function computeHere(): Promise<Found> {
  const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads, layout });
  const zeros = steps.scratch.map(({ name, shape }) => [name, { shape, data: new Float32Array(sizeOf(shape)) }]);
  const device = engine.createState({ ...joinTensors(steps.state.vectors, state), ...Object.fromEntries(zeros) });
  const scalars = (values: Readonly<Record<string, number>>): Feeds =>
    Object.fromEntries(Object.entries(values).map(([name, v]) => [name, { shape: [], data: Float32Array.of(v) }]));
  const losses: number[] = [];
  for (const step of [steps.weightStep, steps.archGradient]) {
    const program = await engine.compile(step.graph, step.carries);
    const { loss } = await program.run(
      { input: x, targets, ...scalars(optimizerOf({ optimizer: 'sgd' }).scalars(0, 1)) },
      device,
    );
    losses.push(loss?.data[0] ?? Number.NaN);
    await program.dispose();
  }
  const after = splitTensors(steps.state.vectors, await device.read());
  device.dispose();
  const [loss = Number.NaN, again] = losses;
  say(`${nodeRuntime().name}, layout ${layout}, ${threads} threads: loss ${loss.toFixed(7)}`);
  if (loss !== again) say(`the two steps differ in their losses: ${loss}, ${again}`);
  const gradients = new Map([
    ...parameters.map(({ path }) => [path, tensorOf(after, `${path}:momentum`).data] as const),
    ...architecture.map(({ path }) => [path, tensorOf(after, gradientOf(path)).data] as const),
  ]);
  const moved = new Map(statistics.map(({ path }) => [path, tensorOf(after, path).data] as const));
  return { loss, gradients, statistics: moved };
}

function computeThere(python: string, format: string): Found {
  const dir = mkdtempSync(join(tmpdir(), 'netsmith-parity-'));
  try {
    const decisions = architecture.map((one) => one.decisions.map(({ name }) => name));
    const settings = {
      channels,
      cells,
      batch,
      size,
      classes: CLASSES,
      threads,
      format,
      parameters: compared,
      statistics,
      decisions,
    };
    writeFileSync(join(dir, 'supernet.json'), JSON.stringify(settings));
    const bytesOf = ({ data }: HostTensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    writeFileSync(join(dir, 'weights.bin'), Buffer.concat(compared.map(({ path }) => bytesOf(tensorOf(state, path)))));
    writeFileSync(join(dir, 'images.bin'), bytesOf(x));
    writeFileSync(join(dir, 'targets.bin'), bytesOf(targets));
    const script = join(import.meta.dirname, 'supernet_reference.py');
    const output = execFileSync(python, [script, dir, resolvePath(flags.peers)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { loss, torch } = JSON.parse(output);
    say(`PyTorch ${torch} in ${format}: loss ${loss.toFixed(7)}`);
    return {
      loss,
      gradients: readTensors(join(dir, 'gradients.bin'), compared),
      statistics: readTensors(join(dir, 'statistics.bin'), statistics),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Tensors of these shapes from a file in which they lie end to end. */
function readTensors(
  file: string,
  wanted: readonly { readonly path: string; readonly shape: Shape }[],
): ReadonlyMap<string, Float32Array> {
  const bytes = readFileSync(file);
  const flat = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  let start = 0;
  return new Map(
    wanted.map(({ path, shape }) => {
      start += sizeOf(shape);
      return [path, flat.subarray(start - sizeOf(shape), start)] as const;
    }),
  );
}

type Tensors = ReadonlyMap<string, Float32Array>;

/** |a - b| / |b| of the named tensors taken together. */
function errorOf(a: Tensors, b: Tensors, paths: readonly string[]): number {
  let [difference, norm] = [0, 0];
  for (const path of paths) {
    const [one, other] = [a.get(path), b.get(path)];
    if (one === undefined || other?.length !== one.length) throw new Error(`${path} is missing`);
    for (const [i, value] of other.entries()) {
      difference += ((one[i] as number) - value) ** 2;
      norm += value ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}

function report(): void {
  const weights = parameters.map(({ path }) => path);
  const count = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  say(`${count} weights, ${channels} channels, ${cells} cells, batch ${batch} of ${size}x${size}, seed ${seed}`);
  const all = [...found];
  const pairs = all.flatMap((a, i) => all.slice(i + 1).map((b) => [a, b] as const));
  let passed = true;
  for (const [[name, a], [other, b]] of pairs) {
    const errors = {
      loss: Math.abs(a.loss - b.loss) / Math.abs(b.loss),
      statistics: errorOf(
        a.statistics,
        b.statistics,
        statistics.map(({ path }) => path),
      ),
      'gradients by weights': errorOf(a.gradients, b.gradients, weights),
      'by architecture': errorOf(
        a.gradients,
        b.gradients,
        architecture.map(({ path }) => path),
      ),
    };
    const parts = Object.entries(errors).map(([what, error]) => `${what} ${error.toExponential(2)}`);
    const [worst] = weights
      .map((path) => [errorOf(a.gradients, b.gradients, [path]), path] as const)
      .toSorted(([x], [y]) => y - x);
    say(
      `${name} and ${other}: ${parts.join(', ')}; largest of one weight ${worst?.[0].toExponential(2)}, ${worst?.[1]}`,
    );
    // NaN fails too: a comparison with it never holds.
    if (name === 'Netsmith' && other.endsWith('32')) passed = Object.values(errors).every((error) => error < LIMIT);
  }
  say(passed ? 'passed' : `FAILED: at most ${LIMIT}`);
  if (!passed) process.exitCode = 1;
}
