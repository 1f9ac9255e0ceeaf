import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Hold } from './hold.ts';

const BIN = join(import.meta.dirname, '..', '..', 'bin', 'netsmith.js');
const HOLD = new URL('./hold.ts', import.meta.url).href;

/** Starts the command in its own process, with its output as text. */
export function start(...args: string[]): ChildProcess {
  return asText(spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** `start`, and the command stands still once it has written a text to standard error, so that it can be stopped before its end. */
export function startHeld(hold: Hold, ...args: string[]): ChildProcess {
  const env = { ...process.env, NETSMITH_TEST_HOLD: JSON.stringify(hold) };
  return asText(spawn(process.execPath, ['--import', HOLD, BIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

function asText(child: ChildProcess): ChildProcess {
  child.stdout?.setEncoding('utf8');
  child.stderr?.setEncoding('utf8');
  return child;
}
