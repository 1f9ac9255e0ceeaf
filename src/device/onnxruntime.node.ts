import { type ChildProcess, fork } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { invalid, type UserError } from '../common/errors.ts';
import { entryModule } from '../common/package-files.node.ts';
import { PATIENCE, type TargetSettings } from './index.ts';
import { probeModel } from './probe.ts';
import type { OpenTarget, Target, Timing, TimingRequest } from './target.ts';
import type { FromTiming, TimedDevice, TimingJob } from './timing-messages.ts';

/** Characters of the end of the process's standard error, kept to explain its death. */
const LAST_WORDS = 500;

const DEVICES = { node: 'cpu', webgpu: 'webgpu' } as const satisfies Readonly<Record<string, TimedDevice>>;

/** onnxruntime-node on the CPU or the graphics card, in a process of its own. */
export function onnxruntimeTarget(
  name: keyof typeof DEVICES,
  { threads = 1, patience = PATIENCE }: TargetSettings,
): Target {
  const [device, place] = [DEVICES[name], `device target "${name}"`];
  return {
    name,
    async open(): Promise<OpenTarget> {
      let process = await startProcess(place, patience);
      const timed = (model: Uint8Array, { signal: _, ...request }: TimingRequest) =>
        process.time({ model, device, threads, request });
      const target: OpenTarget = {
        description: `${process.runtime}, ${name === 'node' ? `CPU ${cpuName()}, ${counted(threads)}` : 'WebGPU'}`,
        async time(model, request) {
          request.signal?.throwIfAborted();
          const stop = () => process.kill();
          request.signal?.addEventListener('abort', stop, { once: true });
          try {
            // One that hung, died or was stopped before.
            if (process.isOver()) process = await startProcess(place, patience);
            return await timed(model, request);
          } catch (error) {
            request.signal?.throwIfAborted();
            throw error;
          } finally {
            request.signal?.removeEventListener('abort', stop);
          }
        },
        close: () => process.close(),
      };
      try {
        // A device that is not there shows at the first session.
        await timed(probeModel(), { batch: 1, warmup: 0, runs: 1, seconds: 0 });
      } catch (error) {
        await process.close();
        throw error;
      }
      return target;
    },
  };
}

const counted = (threads: number) => (threads === 1 ? '1 thread' : `${threads} threads`);

function cpuName(): string {
  return cpus()[0]?.model.trim() ?? 'of unknown make';
}

interface TimingProcess {
  /** `onnxruntime-node 1.30.0` */
  readonly runtime: string;
  /** One job at a time. Throws UserError where the process says why it cannot, is silent for too long, or dies. */
  time(job: TimingJob): Promise<Timing>;
  isOver(): boolean;
  kill(): void;
  close(): Promise<void>;
}

async function startProcess(place: string, patience: number): Promise<TimingProcess> {
  const child = fork(fileURLToPath(entryModule('device/timing-process.node')), {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const gone = Promise.withResolvers<void>();
  let [lastWords, over, hung] = ['', false, false];
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  let asked: ReturnType<typeof Promise.withResolvers<FromTiming>> | undefined;
  let clock: NodeJS.Timeout | undefined;
  const end = (error: UserError) => {
    over = true;
    clearTimeout(clock);
    asked?.reject(error);
    gone.resolve();
  };
  const watch = () => {
    clearTimeout(clock);
    clock = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, patience * 1000);
  };
  child.on('message', (message: FromTiming) => {
    if (asked === undefined) return;
    watch();
    if (message.kind !== 'alive') asked.resolve(message);
  });
  child.on('error', ({ message }) => end(invalid(place, message, 'its process must start')));
  child.on('close', (code, signal) =>
    end(
      hung
        ? invalid(
            place,
            `no answer for ${patience} s`,
            'a run must end; --device-timeout sets for how long it may take',
          )
        : invalid(place, howItEnded(code, signal, lastWords.trim()), 'its process must live until it is closed'),
    ),
  );

  async function answer(job?: TimingJob): Promise<FromTiming> {
    asked = Promise.withResolvers<FromTiming>();
    watch();
    hold(child, true);
    if (job !== undefined) child.send(job, () => {});
    try {
      return await asked.promise;
    } finally {
      asked = undefined;
      clearTimeout(clock);
      hold(child, false);
    }
  }

  const ready = await answer();
  if (ready.kind !== 'ready') throw new Error(`the timing process began with "${ready.kind}"`);
  return {
    runtime: ready.runtime,
    async time(job) {
      const message = await answer(job);
      if (message.kind === 'timed') return message.timing;
      const reason = message.kind === 'failed' ? message.reason : message.kind;
      throw invalid(place, reason.replaceAll('\n', ' '), 'the device must be there, and able to run the network');
    },
    isOver: () => over,
    kill: () => child.kill('SIGKILL'),
    async close() {
      if (over) return;
      hold(child, true);
      child.kill('SIGKILL');
      await gone.promise;
    },
  };
}

/** An idle process does not keep this one alive. */
function hold(child: ChildProcess, isAsked: boolean): void {
  if (isAsked) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}

function howItEnded(code: number | null, signal: string | null, lastWords: string): string {
  const how = signal === null ? `its process exited with code ${code}` : `its process was killed by ${signal}`;
  return lastWords === '' ? how : `${how}: ${lastWords.replaceAll('\n', ' ')}`;
}
