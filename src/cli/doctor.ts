import { availableParallelism, cpus, totalmem } from 'node:os';
import { type Command, Option } from 'commander';
import { openEngine } from '../app/engine.ts';
import { memoryOfProcess } from '../app/memory.node.ts';
import { versions } from '../app/versions.ts';
import { invalid, messageOf } from '../common/errors.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import { rng } from '../common/random.ts';
import { openDataset } from '../data/open.node.ts';
import type { Engine } from '../engine/engine.ts';
import { networkCosts } from '../network/costs.ts';
import { showBytes, showCount, showSeconds } from '../report/numbers.ts';
import { resolve, sample } from '../space/index.ts';
import { SPACES } from '../space/spaces/index.ts';
import { trainNetwork } from '../train/loop.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith doctor`: { ok, versions, machine, engine, webgpu, training, problems } */
export function addDoctor(program: Command, shell: Shell): void {
  define(program, 'doctor', 'Check this machine: Node, engine, threads, memory, GPU, and a short training', [
    'netsmith doctor',
    'netsmith doctor --threads 4 --json',
  ])
    .addOption(new Option('--threads <n>', 'threads of the training').argParser(numberIfItIsOne).default(1))
    .action(async ({ threads }: { readonly threads: number | string }, command: Command) => {
      if (!isWhole(threads, 1, 256)) throw invalid('--threads', `"${threads}"`, 'must be a whole number from 1 to 256');
      const output = outputOf(command, shell);
      output.note('Training a small network on the bundled digits ...');
      const found = await examine(threads);
      if (!found.ok) shell.exitCode = 1;
      output.result(found, textOf(found));
    });
}

type Examined = Awaited<ReturnType<typeof examine>>;

async function examine(threads: number) {
  const { onnxruntime = '', node = '', netsmith = '' } = versions();
  const problems: string[] = [];
  const onCpu = await attempt(() =>
    onDevice('cpu', threads, async (engine) => ({ ...engine.options, ...(await train(engine)) })),
  );
  if ('error' in onCpu) problems.push(`The engine does not work on the CPU: ${onCpu.error}`);
  const onGpu = await attempt(() => onDevice('webgpu', 1, async () => ({})));
  const cores = availableParallelism();
  const availableBytes = memoryOfProcess({}, 1);
  if (availableBytes < LEAST_BYTES)
    problems.push(`Only ${showBytes(availableBytes)} of memory can be used for training.`);
  if (threads > cores) problems.push(`${threads} threads share ${cores} cores: --threads ${cores} is faster.`);
  return {
    ok: !('error' in onCpu),
    versions: { netsmith, node, onnxruntime },
    machine: {
      platform: process.platform,
      arch: process.arch,
      cpu: cpus()[0]?.model.trim() ?? '',
      cores,
      memoryBytes: totalmem(),
      availableBytes,
    },
    engine: 'error' in onCpu ? null : { threads, layout: onCpu.block === 0 ? 'NCHW' : 'blocked', block: onCpu.block },
    webgpu: { available: !('error' in onGpu), ...('error' in onGpu && { reason: onGpu.error }) },
    training: 'error' in onCpu ? null : onCpu.training,
    problems,
  };
}

/** Less than this is too little for all but the smallest networks. */
const LEAST_BYTES = 256 * 2 ** 20;

async function attempt<T extends object>(work: () => Promise<T>): Promise<T | { readonly error: string }> {
  try {
    return await work();
  } catch (error) {
    return { error: messageOf(error) };
  }
}

async function onDevice<T>(
  device: 'cpu' | 'webgpu',
  threads: number,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await openEngine({ device, threads, layout: 'auto' }, 1);
  try {
    return await work(engine);
  } finally {
    await engine.dispose();
  }
}

const EPOCHS = 3;

/** A member of `small-cnn`, for a few epochs; the rate is that of the epochs after the first, which warms up. */
async function train(engine: Engine) {
  const { search } = await openDataset({ name: 'digits', seed: 0, validShare: 0.25 });
  const { info } = search;
  const space = SPACES['small-cnn'].create(info);
  const network = resolve(space, sample(space, rng('doctor')));
  const training = await trainNetwork({
    engine,
    network,
    info,
    train: search.train,
    settings: { ...DEFAULT_SETTINGS, epochs: EPOCHS },
    rng: (...labels) => rng('doctor', ...labels),
  });
  try {
    const [, ...later] = training.history;
    const seconds = later.reduce((sum, epoch) => sum + epoch.seconds, 0);
    return {
      training: {
        data: info.name,
        parameters: networkCosts(network, space.task).params,
        samples: search.train.count,
        epochs: later.length,
        loss: later.at(-1)?.loss ?? null,
        seconds,
        samplesPerSecond: (later.length * search.train.count) / seconds,
      },
    };
  } finally {
    await training.dispose();
  }
}

function textOf({ versions, machine, engine, webgpu, training, problems }: Examined): string {
  const lines = [
    ['Netsmith', versions.netsmith],
    ['Node', `${versions.node}, ${machine.platform} ${machine.arch}`],
    ['Processor', `${machine.cpu || machine.arch}, ${machine.cores} cores`],
    [
      'Memory',
      `${showBytes(machine.memoryBytes)}, of which training may take ${showBytes(machine.availableBytes)} now`,
    ],
    ['Engine', engine === null ? 'does not work' : `ONNX Runtime ${versions.onnxruntime}, ${layoutText(engine.block)}`],
    ['WebGPU', webgpu.available ? 'available (--device webgpu)' : `not available: ${webgpu.reason}`],
    [
      'Training',
      training === null || engine === null
        ? 'failed'
        : `${showCount(training.samplesPerSecond)} samples/s on ${engine.threads === 1 ? '1 thread' : `${engine.threads} threads`} (${showCount(training.parameters)} parameters, 8x8 images, ${showSeconds(training.seconds)})`,
    ],
  ];
  const checks = lines.map(([name = '', text]) => `${name.padEnd(10)} ${text}`).join('\n');
  return `${checks}\n\n${problems.length === 0 ? 'Everything that Netsmith needs works.' : problems.join('\n')}`;
}

function layoutText(block: number): string {
  return block === 0
    ? 'tensors in NCHW'
    : `tensors in blocks of ${block} channels (${block === 16 ? 'AVX-512' : 'AVX2'})`;
}
