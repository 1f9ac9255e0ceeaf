/** Starts measuring processes, ours and the peers', and reads what they print. One at a time: they want all cores. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Order } from './order.ts';

/** Runs the command with this input and returns the last line it prints, parsed. Throws Error with its exit code or signal. */
export function inputToLastLine(
  command: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>> = {},
): unknown {
  const { status, signal, stdout, error } = spawnSync(command, args, {
    ...{ encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'inherit'] },
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 26,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${signal ?? `exit code ${status}`}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** One of the entries in this folder, with its order. */
export function ask<Answer>(entry: 'child' | 'profile', order: Order): Answer {
  const file = join(import.meta.dirname, `${entry}.ts`);
  return inputToLastLine(process.execPath, ['--conditions=netsmith-source', file, JSON.stringify(order)], '') as Answer;
}

export const PEER_FORMS = {
  default: [],
  'channels-last': ['--channels-last'],
  compiled: ['--compile'],
} as const;
export type PeerForm = keyof typeof PEER_FORMS;

/** What a peer's script says of itself. */
export interface PeerRun {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of the whole process. */
  readonly wallSeconds: number;
}

/** Runs a peer's script. PyTorch compiles from scratch. */
export function runPeer(python: string, script: string, args: readonly string[], form: PeerForm): PeerRun {
  const cache = mkdtempSync(join(tmpdir(), 'netsmith-bench-'));
  try {
    const start = performance.now();
    const line = inputToLastLine(python, ['-B', script, ...args, ...PEER_FORMS[form]], '', {
      TORCHINDUCTOR_CACHE_DIR: cache,
    });
    if (typeof line !== 'object' || line === null) throw new Error(`${script} printed no JSON object`);
    return { fields: { ...line }, wallSeconds: (performance.now() - start) / 1000 };
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** Throws Error where the script did not print that number. */
export function numberOf({ fields }: PeerRun, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`the peer's "${name}" is ${value}`);
  return value;
}
