/** A process that answers lines with lines, asked without giving up the calling thread. */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { entryModule } from '../../common/package-files.node.ts';
import type { Report, ThreadSettings } from './thread.node.ts';

/** What a process has answered with. */
export type LineAnswer = Report | { readonly kind: 'silent' };

export interface LineProcess {
  /** Whether it has answered at all: the first answer may wait for a simulator to load. */
  readonly hasAnswered: boolean;
  write(line: string): void;
  /** Waits for the next line for at most this many seconds; `silent` if none has come. */
  read(seconds: number): LineAnswer;
  /** Ends its standard input. If the process still runs after this many seconds (default 1), kills it and all processes that it has started. */
  close(seconds?: number): void;
}

/** Processes that run, ended with this one. */
const running = new Set<LineProcess>();
process.on('exit', () => {
  for (const one of running) one.close(0);
});

/**
 * Starts a command in the shell. Its lines are read by a thread of its own, so that `read` can wait for one: environments answer at once,
 * as those in memory do.
 */
export function openLineProcess(command: string): LineProcess {
  const { port1, port2 } = new MessageChannel();
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const settings: ThreadSettings = { command, port: port2, shared };
  const worker = new Worker(entryModule('control/process/thread.node'), {
    workerData: settings,
    transferList: [port2],
    execArgv: [],
  });
  worker.unref();
  let hasEnded = false;
  let hasAnswered = false;

  const read = (seconds: number): LineAnswer => {
    const until = performance.now() + seconds * 1000;
    for (;;) {
      const seen = Atomics.load(shared, 0);
      const received: { readonly message: Report } | undefined = receiveMessageOnPort(port1);
      if (received !== undefined) {
        if (received.message.kind === 'ended') hasEnded = true;
        hasAnswered = true;
        return received.message;
      }
      const left = until - performance.now();
      if (left <= 0) return { kind: 'silent' };
      Atomics.wait(shared, 0, seen, left);
    }
  };
  const kill = () => {
    const pid = Atomics.load(shared, 1);
    if (pid === 0) return;
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  const opened: LineProcess = {
    get hasAnswered() {
      return hasAnswered;
    },
    write: (line) => port1.postMessage(line),
    read,
    close(seconds = 1) {
      running.delete(opened);
      if (!hasEnded) {
        port1.postMessage(null);
        const until = performance.now() + seconds * 1000;
        // Unread lines are handed out before the end is reported.
        while (!hasEnded && performance.now() < until) read((until - performance.now()) / 1000);
        kill();
      }
      void worker.terminate();
    },
  };
  running.add(opened);
  return opened;
}
