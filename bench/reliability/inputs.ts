/**
 * Generated inputs over all parsers of what comes from outside: CSV, images, IDX, CIFAR, architectures, spaces, configuration,
 * studies, ONNX metadata, JSON. Each input is a valid one with a few changes. It must be accepted, or refused by a UserError, in at most
 * 5 s, and a second reading must come to the same. Anything else is a failure and is printed with its input.
 *
 *     npm run -s bench:inputs -- [--inputs 100000] [--seed 1] [--only CSV] [--json] [--save]
 *
 * 100,000 inputs take about 3 minutes on two idle cores; `--inputs 5000` is the short form. Exits with 1 where an input failed.
 */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { circumstances, saveResult } from '../engine/results.ts';
import { parseFlags } from '../support/flags.ts';
import type { FromChild } from './child.ts';
import { PARSERS } from './parsers.ts';

const flags = parseFlags({
  inputs: { type: 'string', default: '100000' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});

const HANG_MS = 5000;
const say = (line: string) => process.stderr.write(`${line}\n`);

interface Failure {
  readonly input: number;
  readonly failure: string;
  readonly text: string;
}

interface Row {
  readonly parser: string;
  readonly inputs: number;
  accepted: number;
  refused: number;
  slowestMs: number;
  readonly failures: Failure[];
}

/** Inputs `from` to `to` in one process; returns the first that is still to be done: `to`, or the one after a hang or crash. */
function batch(row: Row, from: number, to: number): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(join(import.meta.dirname, 'child.ts'), [row.parser, `${from}`, `${to}`, flags.seed], {
      silent: true,
    });
    let current = from;
    let words = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    child.stderr?.on('data', (text) => {
      words = `${words}${text}`.slice(-2000);
    });
    child.on('message', (message: FromChild) => {
      clearTimeout(timer);
      if (message.kind === 'begins') {
        current = message.input;
        // Both readings, and some patience for a machine that is busy.
        timer = setTimeout(() => child.kill('SIGKILL'), 2 * HANG_MS);
        return;
      }
      current = message.input + 1;
      if (message.failure !== undefined)
        row.failures.push({ input: message.input, failure: message.failure, text: message.text ?? '' });
      else if (message.milliseconds > HANG_MS)
        row.failures.push({
          input: message.input,
          failure: `took ${message.milliseconds} ms`,
          text: message.text ?? '',
        });
      else if (message.accepted) row.accepted++;
      else row.refused++;
      row.slowestMs = Math.max(row.slowestMs, Math.round(message.milliseconds));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (current >= to) return resolve(to);
      row.failures.push({
        input: current,
        failure: signal === 'SIGKILL' ? 'hangs' : `the process ended (${signal ?? code}): ${words}`,
        text: '',
      });
      resolve(current + 1);
    });
  });
}

const BATCH = 2000;

async function run(row: Row): Promise<Row> {
  for (let at = 0; at < row.inputs; ) at = await batch(row, at, Math.min(row.inputs, at + BATCH));
  const { parser, inputs, accepted, refused, slowestMs, failures } = row;
  say(
    `${parser}: ${inputs} inputs, ${accepted} accepted, ${refused} refused, ${failures.length} failures, slowest ${slowestMs} ms`,
  );
  for (const { input, failure, text } of failures.slice(0, 5))
    say(`  input ${input}: ${failure}\n    ${JSON.stringify(text.slice(0, 300))}`);
  return row;
}

const chosen = PARSERS.filter(({ name }) => flags.only === undefined || flags.only.includes(name));
const weights = chosen.reduce((sum, { weight }) => sum + weight, 0);
const waiting = chosen.map(({ name, weight }): Row => {
  const inputs = Math.ceil((Number(flags.inputs) * weight) / weights);
  return { parser: name, inputs, accepted: 0, refused: 0, slowestMs: 0, failures: [] };
});
const rows: Row[] = [];
await Promise.all(
  [0, 1].map(async () => {
    for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) rows.push(await run(row));
  }),
);
const result = { seed: Number(flags.seed), rows };
if (flags.save) say(saveResult('inputs', circumstances(1), result));
if (flags.json) process.stdout.write(`${JSON.stringify(result, undefined, 1)}\n`);
process.exitCode = rows.some(({ failures }) => failures.length > 0) ? 1 : 0;
