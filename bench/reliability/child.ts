/** Gives inputs to one parser and tells its parent of each; its own process, so that a hang or a crash can be seen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rng } from '../../src/common/random.ts';
import { PARSERS } from './parsers.ts';

export type FromChild =
  | { readonly kind: 'begins'; readonly input: number }
  | {
      readonly kind: 'ends';
      readonly input: number;
      readonly accepted: boolean;
      readonly milliseconds: number;
      readonly failure?: string;
      readonly text?: string;
    };

const [name, from, to, seed] = process.argv.slice(2);
const parser = PARSERS.find((one) => one.name === name);
const send = (message: FromChild) => process.send?.(message);
const scratch = mkdtempSync(join(tmpdir(), 'netsmith-inputs-'));
if (parser === undefined) throw new Error(`there is no parser ${name}`);

/** What reading came to: plain data, or the message of a UserError. Anything else that is thrown is a failure. */
async function outcome(read: () => Promise<unknown>): Promise<{ readonly accepted: boolean; readonly result: string }> {
  try {
    return { accepted: true, result: JSON.stringify(await read()) ?? '' };
  } catch (error) {
    if (error instanceof Error && error.name === 'UserError') return { accepted: false, result: error.message };
    throw error;
  }
}

const make = await parser.open(scratch);
for (let input = Number(from); input < Number(to); input++) {
  send({ kind: 'begins', input });
  const began = performance.now();
  const made = await make(rng(Number(seed), parser.name, input));
  const ended = { kind: 'ends', input, milliseconds: 0, accepted: false } as const;
  try {
    const first = await outcome(made.read);
    const milliseconds = performance.now() - began;
    const second = await outcome(made.read);
    const differs = first.result !== second.result && {
      failure: 'a second reading gave another result',
      text: made.text,
    };
    const speaks = !first.accepted &&
      /\n\s+at /.test(first.result) && { failure: 'the message has a stack', text: made.text };
    send({ ...ended, accepted: first.accepted, milliseconds, ...differs, ...speaks });
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    send({ ...ended, milliseconds: performance.now() - began, failure, text: made.text });
  }
}
rmSync(scratch, { recursive: true, force: true });
process.disconnect?.();
