import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { moduleOf } from '../../bin/program.js';

// What is built starts several times faster, and so do the worker processes that it starts.
const { main }: typeof import('../../src/cli/main.ts') = await import(moduleOf('cli/main'));

interface Called {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in this process, as where there is no terminal. */
export async function netsmith(...args: string[]): Promise<Called> {
  let [out, err] = ['', ''];
  const streams = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
    terminal: false,
  };
  const code = await main(args, streams);
  return { code, out, err };
}

/** Runs a command that must succeed, and reads its JSON: that alone is on standard output. */
export async function json(...args: string[]) {
  const { code, out, err } = await netsmith(...args, '--json');
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

/** Runs a command with bad input: exit code 2, one message that matches, nothing on standard output, nothing written to the folder. */
export async function refusedIn(folder: string, expected: RegExp, ...args: string[]): Promise<void> {
  const files = () => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const earlier = files();
  const { code, out, err } = await netsmith(...args);
  assert.equal(code, 2, `${args.join(' ')}\n${out}\n${err}`);
  assert.match(err, expected);
  assert.doesNotMatch(err, /\n\s+at /, 'the user gets no stack trace');
  assert.equal(out, '');
  assert.deepEqual(files(), earlier, `${args.join(' ')} wrote something`);
}
