/** The thread beside a process: reads and writes its lines, while the thread that asks sleeps until there is an answer. */
import { spawn } from 'node:child_process';
import { type MessagePort, workerData } from 'node:worker_threads';
import { printable } from '../../common/text.ts';

/** What the thread is given. */
export interface ThreadSettings {
  readonly command: string;
  readonly port: MessagePort;
  /** Messages sent, and the id of the process (0 before it runs). */
  readonly shared: Int32Array;
}

/** What the thread reports. */
export type Report =
  | { readonly kind: 'line'; readonly text: string }
  /** `it exits with code 1: no such file` */
  | { readonly kind: 'ended'; readonly how: string };

/** Characters of a line: an image of 1,000 x 1,000 pixels has fewer. */
const MOST = 64_000_000;

// What `openLineProcess` has passed, which is the only one that starts this file.
const { command, port, shared }: ThreadSettings = workerData;

function report(message: Report): void {
  port.postMessage(message);
  Atomics.add(shared, 0, 1);
  Atomics.notify(shared, 0);
}

// A group of its own, so that what the shell has started ends with it.
const child = spawn(command, { shell: true, detached: process.platform !== 'win32', stdio: ['pipe', 'pipe', 'pipe'] });
Atomics.store(shared, 1, child.pid ?? 0);

let out: string[] = [];
let length = 0;
child.stdout.setEncoding('utf8').on('data', (text: string) => {
  const [first = '', ...others] = text.split('\n');
  out.push(first);
  for (const next of others) {
    report({ kind: 'line', text: out.join('') });
    out = [next];
    length = 0;
  }
  length += first.length;
  if (length > MOST) {
    report({ kind: 'ended', how: `it prints a line of more than ${MOST.toLocaleString('en-US')} characters` });
    child.kill('SIGKILL');
  }
});
let said = '';
child.stderr.setEncoding('utf8').on('data', (text: string) => {
  said = (said + text).slice(-500);
});
// A process that has ended does not read; its end is reported below.
child.stdin.on('error', () => {});
child.on('error', (error) => report({ kind: 'ended', how: `it cannot be started: ${error.message}` }));
child.on('close', (code, by) => {
  const how = by === null ? `it exits with code ${code}` : `it was killed by ${by}`;
  const last = printable(said.trim().split('\n').at(-1) ?? '');
  report({ kind: 'ended', how: last === '' ? how : `${how}: ${last}` });
  port.close();
});
port.on('message', (line: string | null) => {
  if (line === null) child.stdin.end();
  else child.stdin.write(`${line}\n`);
});
