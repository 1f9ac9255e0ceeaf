/**
 * The adapter of onnxruntime-node. Besides, only device/timing-process.node.ts imports it.
 *
 * A run computes on the calling thread: JavaScript waits for it. `threadedRuntime` has it in its own thread.
 */
import { createRequire } from 'node:module';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { HostTensor, IntTensor } from '../../graph/ir.ts';
import {
  type Device,
  keepsOnDevice,
  type Runtime,
  type RuntimeTensor,
  type Session,
  type ValueInfo,
} from './runtime.ts';

/** Of the levels verbose, info, warning, error, fatal: what goes wrong reaches us as an exception anyway. */
const LOG_ERRORS_ONLY = 3;

/** Between two runs threads sleep in any case. */
const waiting = (spin: boolean) => ({
  session: { intra_op: { allow_spinning: spin ? '1' : '0' }, force_spinning_stop: '1' },
});

/** ONNX Runtime's names of what computes, the preferred one first: what the CUDA provider lacks, the CPU does. */
export const providersOf = (device: Device): string[] => (device === 'cuda' ? ['cuda', 'cpu'] : [device]);

export function nodeRuntime(): Runtime {
  return {
    name: `onnxruntime-node ${installedVersion()}`,
    wrap,
    missing,
    close: async () => {},
    async createSession(model, { device, threads, spin = false, optimization, keep, memory = 'kept' }) {
      const session = await InferenceSession.create(model, {
        executionProviders: providersOf(device),
        graphOptimizationLevel: optimization === 'none' ? 'disabled' : 'all',
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        executionMode: 'sequential',
        // A pattern is one more block, as large as all values that live at the same time, beside what the first run took.
        enableMemPattern: false,
        // An arena belongs to its session and never shrinks; without one, values come from `malloc`, which all share.
        enableCpuMemArena: memory === 'kept',
        extra: waiting(spin),
        logSeverityLevel: LOG_ERRORS_ONLY,
        ...(!keepsOnDevice(device) || keep.length === 0
          ? {}
          : { preferredOutputLocation: Object.fromEntries(keep.map((name) => [name, 'gpu-buffer' as const])) }),
      });
      return adapt(session);
    },
  };
}

/** The native tensor behind each of ours. */
const natives = new WeakMap<RuntimeTensor, Tensor>();

function adapt(session: InferenceSession): Session {
  const { inputNames, outputNames } = session;
  let busySeconds = 0;
  // A device tensor lies in memory of the session that made it, and freeing it after the session ends the process: the
  // session goes with the last of its tensors.
  let alive = 0;
  let disposed = false;
  function freed(): void {
    alive--;
    if (disposed && alive === 0) void session.release();
  }
  function received(result: Tensor): RuntimeTensor {
    if (result.location === 'cpu') return fromNative(result);
    alive++;
    return fromNative(result, freed);
  }
  const runOnce: Session['run'] = async (feeds, into) => {
    // Plain loops: between two runs the device waits for this.
    const nativeFeeds: Record<string, Tensor> = {};
    for (const name of inputNames) nativeFeeds[name] = native(feeds[name]);
    const fetches: Record<string, Tensor | null> = {};
    for (const name of outputNames) fetches[name] = into[name] === undefined ? null : native(into[name]);
    const began = performance.now();
    const results = await session.run(nativeFeeds, fetches);
    busySeconds += (performance.now() - began) / 1000;
    const outputs: Record<string, RuntimeTensor> = {};
    for (const name of outputNames) outputs[name] = into[name] ?? received(results[name] as Tensor);
    return outputs;
  };
  /** What waits for a run that fails, fails with it. */
  let last: Promise<unknown> = Promise.resolve();
  return {
    get busySeconds() {
      return busySeconds;
    },
    inputs: session.inputMetadata.map(valueInfo),
    outputs: session.outputMetadata.map(valueInfo),
    async run(feeds, into) {
      const mine = last.then(() => runOnce(feeds, into));
      last = mine;
      try {
        return await mine;
      } catch (error) {
        if (last === mine) last = Promise.resolve();
        throw error;
      }
    },
    async dispose() {
      disposed = true;
      if (alive === 0) await session.release();
    },
  };
}

function native(tensor: RuntimeTensor | undefined): Tensor {
  const found = tensor && natives.get(tensor);
  if (found === undefined) throw new Error('the tensor belongs to another runtime');
  return found;
}

function wrap({ shape, data }: HostTensor | IntTensor): RuntimeTensor {
  return fromNative(data instanceof Int32Array ? new Tensor('int32', data, shape) : new Tensor('float32', data, shape));
}

function fromNative(result: Tensor, freed = () => {}): RuntimeTensor {
  let disposed = false;
  const tensor: RuntimeTensor = Object.freeze({
    shape: result.dims,
    // A device tensor's own `getData` ends the process here: state.ts reads through a session instead.
    data: result.location === 'cpu' && result.type === 'float32' ? (result.data as Float32Array) : undefined,
    dispose() {
      if (disposed) return;
      disposed = true;
      result.dispose();
      freed();
    },
  });
  natives.set(tensor, result);
  return tensor;
}

function valueInfo(metadata: InferenceSession.ValueMetadata): ValueInfo {
  return { name: metadata.name, shape: metadata.isTensor ? metadata.shape : [] };
}

function missing(device: Device): string {
  if (device === 'cpu') return 'the CPU provider is part of every build of ONNX Runtime';
  if (device === 'cuda') return missingCuda(process.platform, process.arch);
  if (process.platform === 'linux') {
    return (
      'WebGPU on Linux needs a Vulkan driver: the loader libvulkan.so.1 (Debian: libvulkan1) and the ICD of the card ' +
      '(mesa-vulkan-drivers, or the one of NVIDIA), found automatically or named by VK_ICD_FILENAMES'
    );
  }
  return process.platform === 'darwin'
    ? 'WebGPU on macOS needs a graphics card that Metal supports'
    : 'WebGPU on Windows needs a graphics card and driver that Direct3D 12 supports';
}

/** What CUDA needs on a system; netsmith downloads none of it. */
export function missingCuda(platform: string, arch: string): string {
  if (platform !== 'linux' || arch !== 'x64')
    return 'onnxruntime-node has CUDA on 64-bit Linux with x64 processors alone: use --device webgpu here';
  return (
    "CUDA needs NVIDIA's driver, CUDA 12 and cuDNN 9 (libcudart.so.12, libcudnn.so.9, found automatically or by LD_LIBRARY_PATH), and " +
    "ONNX Runtime's CUDA libraries, which npm packages do not contain: get them by " +
    '"node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12"'
  );
}

function installedVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return version;
}
