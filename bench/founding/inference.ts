/**
 * Times a network as it is exported, in ONNX Runtime on the CPU with one thread, an image at a time: `node inference.ts '{ ...InferenceOrder }'`.
 * Prints the median of the milliseconds, and by how much the session and its runs let the resident memory of the process grow.
 */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { rng } from '../../src/common/random.ts';
import { initialize } from '../../src/network/initialize.ts';
import { exportOnnx } from '../../src/report/export/onnx.ts';
import { parseArchitecture, resolve, SPACES } from '../../src/space/index.ts';
import type { SpaceDefinition } from '../../src/space/space.ts';
import { inferenceGraph } from '../../src/train/program.ts';
import { optionsFrom } from '../oneshot/options.ts';
import { denseNet } from './densenet.ts';
import { DENSENET } from './methods.ts';

export interface InferenceOrder {
  readonly space: string;
  readonly options: string;
  readonly text: string;
}

export interface InferenceResult {
  readonly milliseconds: number;
  readonly mebibytes: number;
}

const [WARM, RUNS] = [20, 200];
const INPUT = [3, 32, 32];
const OUTPUTS = 10;

if (process.argv[1] === import.meta.filename) {
  const result = await measure(JSON.parse(process.argv[2] ?? '') as InferenceOrder);
  process.stdout.write(JSON.stringify(result));
}

async function measure(order: InferenceOrder): Promise<InferenceResult> {
  const model = exported(order);
  const before = process.memoryUsage().rss;
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const [input = ''] = session.inputNames;
  const random = rng('inference');
  const image = Float32Array.from({ length: INPUT.reduce((a, b) => a * b) }, () => random.int(256));
  const feeds = { [input]: new Tensor('float32', image, [1, ...INPUT]) };
  const times: number[] = [];
  for (let run = 0; run < WARM + RUNS; run++) {
    const start = performance.now();
    await session.run(feeds);
    if (run >= WARM) times.push(performance.now() - start);
  }
  const after = process.memoryUsage().rss;
  await session.release();
  const milliseconds = times.toSorted((a, b) => a - b)[RUNS / 2] ?? Number.NaN;
  return { milliseconds: Number(milliseconds.toPrecision(3)), mebibytes: Math.round((after - before) / 2 ** 20) };
}

function exported({ space: name, options, text }: InferenceOrder): Uint8Array {
  const kind = 'classification' as const;
  const definitions: Readonly<Record<string, SpaceDefinition>> = { ...SPACES, [DENSENET]: denseNet };
  const space = definitions[name]?.create({ input: INPUT, outputs: OUTPUTS, kind }, optionsFrom(options));
  if (space === undefined) throw new Error(`there is no space ${name}`);
  const network = resolve(space, parseArchitecture(space, text));
  const labels = Array.from({ length: OUTPUTS }, (_, i) => String(i));
  const ones = INPUT.slice(0, 1).flatMap((channels) => Array<number>(channels).fill(1));
  const counts = { train: 1, valid: 0, test: 0 };
  const info = {
    name: 'cifar-10',
    kind,
    input: INPUT,
    outputs: OUTPUTS,
    labels,
    mean: ones,
    deviation: ones,
    notes: [],
    counts,
  };
  const { parameters, statistics } = inferenceGraph({ network, info, resolution: 1 }, 1);
  const weights = initialize([...parameters, ...statistics], (...path) => rng('inference', ...path));
  return exportOnnx({
    network,
    info,
    weights,
    about: { version: '', space: space.name, architecture: text, training: {} },
  });
}
