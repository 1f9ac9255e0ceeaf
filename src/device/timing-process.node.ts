/**
 * The entry of the process in which `node` and `webgpu` time networks, one after another: a run that hangs, or a driver that ends the
 * process, leaves the study alone. Sessions have the options that onnxruntime has by default, threads aside, as an application would.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../common/errors.ts';
import { nodeRuntime } from '../engine/runtime/node.node.ts';
import type { Timing } from './target.ts';
import type { FromTiming, TimingJob } from './timing-messages.ts';

/** Milliseconds between two signs of life. */
const ALIVE = 1000;
/** Of the levels verbose, info, warning, error, fatal. */
const LOG_ERRORS_ONLY = 3;

const runtime = nodeRuntime();
const send = (message: FromTiming) => process.send?.(message);

process.on('message', (job: TimingJob) => {
  void time(job).then(
    (timing) => send({ kind: 'timed', timing }),
    (error: unknown) => send({ kind: 'failed', reason: reasonOf(error, job) }),
  );
});
process.on('disconnect', () => process.exit());
// A terminal sends Ctrl-C to the whole group of processes; what becomes of the measurement is for the study's to say.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => {});
send({ kind: 'ready', runtime: runtime.name });

async function time({ model, device, threads, request }: TimingJob): Promise<Timing> {
  const isFresh = forgetPeak();
  const session = await InferenceSession.create(model, {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: LOG_ERRORS_ONLY,
  });
  try {
    const feeds = feedsOf(session, request.batch);
    let told = performance.now();
    const run = async (): Promise<number> => {
      const began = performance.now();
      await session.run(feeds);
      const ended = performance.now();
      if (ended - told > ALIVE) {
        told = ended;
        send({ kind: 'alive' });
        // The message leaves the process when the event loop turns.
        await new Promise((resolve) => setImmediate(resolve));
      }
      return ended - began;
    };
    for (let i = 0; i < request.warmup; i++) await run();
    const milliseconds: number[] = [];
    const until = performance.now() + request.seconds * 1000;
    while (milliseconds.length < request.runs || performance.now() < until) milliseconds.push(await run());
    const peakBytes = isFresh ? peak() : undefined;
    return { milliseconds, ...(peakBytes !== undefined && { peakBytes }) };
  } finally {
    await session.release();
  }
}

/** Values about as large as normalized inputs, the same each time; of integers, zeros. */
function feedsOf(session: InferenceSession, batch: number): Record<string, Tensor> {
  return Object.fromEntries(
    session.inputMetadata.map((input) => {
      if (!input.isTensor) throw new Error(`the input "${input.name}" is no tensor`);
      const shape = input.shape.map((size, axis) => (axis === 0 || typeof size === 'string' ? batch : size));
      const count = shape.reduce((product, size) => product * size, 1);
      const tensor =
        input.type === 'int32'
          ? new Tensor('int32', new Int32Array(count), shape)
          : new Tensor(
              'float32',
              Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 2),
              shape,
            );
      return [input.name, tensor];
    }),
  );
}

/** Begins to watch the peak of memory again, as Linux can. False where the peak is that of all models so far. */
let models = 0;
function forgetPeak(): boolean {
  models++;
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return models === 1;
  }
}

function peak(): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // No Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

function reasonOf(error: unknown, { device }: TimingJob): string {
  const reason = messageOf(error).trim();
  return device === 'cpu' ? reason : `${reason}; ${runtime.missing(device)}`;
}
