import { availableParallelism, cpus, totalmem } from 'node:os';
import { invalid, messageOf } from '../common/errors.ts';
import { isWhole } from '../common/numbers.ts';
import { rng } from '../common/random.ts';
import { openDataset } from '../data/open.node.ts';
import { findChromium, findRuntime } from '../device/chromium.node.ts';
import type { Engine } from '../engine/engine.ts';
import type { Device } from '../engine/runtime/runtime.ts';
import { networkCosts } from '../network/costs.ts';
import { showBytes } from '../report/numbers.ts';
import { resolve, sample } from '../space/index.ts';
import { SPACES } from '../space/spaces/index.ts';
import { trainNetwork } from '../train/loop.ts';
import { DEFAULT_SETTINGS } from '../train/settings.ts';
import { openEngine } from './engine.ts';
import { memoryOfProcess } from './memory.node.ts';
import { versions } from './versions.ts';

/** What was found, as `netsmith doctor --json` prints it. */
export type Examined = Awaited<ReturnType<typeof examineMachine>>;

/**
 * Checks what Netsmith needs: the engine by a short training on `threads` threads, memory, WebGPU, CUDA, and what `--device-target browser` needs. `ok` is false where networks cannot be
 * trained here; `problems` has a sentence for each problem. Throws UserError for threads that are no number from 1
 * to 256.
 */
export async function examineMachine({ threads = 1 }: { readonly threads?: number } = {}) {
  if (!isWhole(threads, 1, 256)) throw invalid('--threads', `"${threads}"`, 'must be a whole number from 1 to 256');
  const { onnxruntime = '', node = '', netsmith = '' } = versions();
  const problems: string[] = [];
  const onCpu = await attempt(() =>
    onDevice('cpu', threads, async (engine) => ({ ...engine.options, ...(await train(engine)) })),
  );
  if ('error' in onCpu) problems.push(`The engine does not work on the CPU: ${onCpu.error}`);
  const onGpu = await attempt(() => onDevice('webgpu', 1, async () => ({})));
  const onCuda = await attempt(() => onDevice('cuda', 1, async () => ({})));
  const inBrowser = await attempt(async () => ({
    executable: findChromium(undefined, 'browser'),
    onnxruntimeWeb: findRuntime('browser').version,
  }));
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
    cuda: { available: !('error' in onCuda), ...('error' in onCuda && { reason: onCuda.error }) },
    browser: {
      available: !('error' in inBrowser),
      ...(!('error' in inBrowser) && inBrowser),
      ...('error' in inBrowser && { reason: inBrowser.error }),
    },
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

async function onDevice<T>(device: Device, threads: number, work: (engine: Engine) => Promise<T>): Promise<T> {
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
