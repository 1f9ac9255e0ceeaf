/** Runs a command on one core, with one thread, and measures it. Linux: `taskset` and /proc. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a command printed, and what it took, all of its processes together. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  /** The last lines that it wrote to standard error. */
  readonly stderr: string;
  /** By the clock on the wall, from its start to its end. */
  readonly seconds: number;
  /** Of processor time: less than `seconds` where other work had the core. */
  readonly cpuSeconds: number;
  /** The largest sum of VmHWM over the processes that were alive at once: pages that they share count for each. */
  readonly peakMiB: number;
  /** It was killed since it took longer than `limitSeconds`. */
  readonly isOverdue: boolean;
}

export interface Order {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const ONE_THREAD = { OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', NUMEXPR_NUM_THREADS: '1' };
/** How often /proc is read. */
const EVERY_MS = 250;
/** USER_HZ of Linux, what /proc counts processor time in. */
const TICKS = 100;

const running = new Set<number>();

/** No command outlives the bench. */
export function killRunning(): void {
  for (const pid of running) killSession(pid);
}

export function runPinned({ command, args, env }: Order, core: number, limitSeconds: number): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    // A session of its own: that is how its processes are found.
    const child = spawn('taskset', ['-c', String(core), command, ...args], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...ONE_THREAD, ...env },
    });
    let [stdout, stderr, cpuSeconds, peakMiB, isOverdue] = ['', '', 0, 0, false];
    const { pid } = child;
    if (pid !== undefined) running.add(pid);
    const watch = setInterval(() => {
      if (pid === undefined) return;
      const now = usage(pid);
      cpuSeconds = Math.max(cpuSeconds, now.cpuSeconds);
      peakMiB = Math.max(peakMiB, now.residentMiB);
      if (isOverdue || (performance.now() - start) / 1000 < limitSeconds) return;
      isOverdue = true;
      killSession(pid);
    }, EVERY_MS);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-2000);
    });
    child.on('error', (error) => {
      clearInterval(watch);
      reject(error);
    });
    child.on('close', (code) => {
      clearInterval(watch);
      if (pid !== undefined) running.delete(pid);
      const seconds = (performance.now() - start) / 1000;
      resolve({ code, stdout, stderr, seconds, cpuSeconds, peakMiB, isOverdue });
    });
  });
}

/** The processes of a session, with the fields of /proc/PID/stat behind the name (proc(5); the first is the state). */
function sessionOf(leader: number): { readonly pid: string; readonly fields: readonly string[] }[] {
  return readdirSync('/proc').flatMap((pid) => {
    const text = /^\d+$/.test(pid) ? textOf(`/proc/${pid}/stat`) : '';
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[3] === String(leader) ? [{ pid, fields }] : [];
  });
}

function usage(leader: number): { readonly cpuSeconds: number; readonly residentMiB: number } {
  let [ticks, kib] = [0, 0];
  for (const { pid, fields } of sessionOf(leader)) {
    // utime, stime, and those of children that ended.
    for (const value of fields.slice(11, 15)) ticks += Number(value);
    kib += Number(/VmHWM:\s+(\d+)/.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
  }
  return { cpuSeconds: ticks / TICKS, residentMiB: kib / 1024 };
}

function killSession(leader: number): void {
  for (const { pid } of sessionOf(leader)) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** '' where the process has ended. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
