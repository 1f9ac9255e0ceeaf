import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invalid } from '../common/errors.ts';
import { parseJson } from '../common/json.ts';
import { parseNumber } from '../common/numbers.ts';
import { printable, shownValue } from '../common/text.ts';
import { PATIENCE, type TargetSettings } from './index.ts';
import { probeModel } from './probe.ts';
import type { OpenTarget, Target, Timing, TimingRequest } from './target.ts';

/** A command that prints one number is run until there are so many, or fewer where fewer are asked for: one says nothing of its own error. */
const LEAST_NUMBERS = 3;
/** Characters of what a command prints that are read; a sensible answer has fewer. */
const MOST_PRINTED = 1_000_000;
const RULE =
  'must print milliseconds: a number above 0, or JSON: a list of them, or { "milliseconds": [...], "peakBytes": ... }';

/**
 * A command of the user's own, run by the shell with the path of an ONNX file in the place of `{model}`; `{batch}`, `{threads}` and `{runs}` are
 * numbers that it may use. It prints the milliseconds of a run of the whole batch. Throws UserError without `{model}`.
 */
export function commandTarget({ command, threads = 1, patience = PATIENCE }: TargetSettings): Target {
  if (command === undefined) throw invalid('--device-command', 'none', 'the target command needs one');
  if (!command.includes('{model}'))
    throw invalid('--device-command', `"${command}"`, 'must have {model} where the path of the ONNX file belongs');
  return {
    name: 'command',
    async open(): Promise<OpenTarget> {
      const folder = await mkdtemp(join(tmpdir(), 'netsmith-device-'));
      let count = 0;
      const time = async (model: Uint8Array, request: TimingRequest): Promise<Timing> => {
        const file = join(folder, `model-${++count}.onnx`);
        await writeFile(file, model);
        try {
          const { batch, runs } = request;
          const line = filled(command, { model: shellPath(file), batch, threads, runs });
          const milliseconds: number[] = [];
          let peakBytes: number | undefined;
          while (milliseconds.length < Math.max(1, Math.min(LEAST_NUMBERS, runs))) {
            const timing = answerOf(await printed(line, patience, request.signal));
            milliseconds.push(...timing.milliseconds);
            if (timing.peakBytes !== undefined) peakBytes = Math.max(peakBytes ?? 0, timing.peakBytes);
          }
          return { milliseconds, ...(peakBytes !== undefined && { peakBytes }) };
        } finally {
          await rm(file, { force: true });
        }
      };
      const close = () => rm(folder, { recursive: true, force: true });
      try {
        await time(probeModel(), { batch: 1, warmup: 0, runs: 1, seconds: 0 });
      } catch (error) {
        await close();
        throw error;
      }
      return { description: `command ${printable(command)}`, time, close };
    },
  };
}

function filled(command: string, values: Readonly<Record<string, string | number>>): string {
  return command.replace(/\{(model|batch|threads|runs)\}/g, (_, name: string) => String(values[name]));
}

/** A path as one word of the shell that `spawn` takes. */
function shellPath(path: string): string {
  return process.platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;
}

/** What a command prints on standard output. Throws UserError where it fails, or takes longer than `patience` seconds. */
async function printed(command: string, patience: number, signal: AbortSignal | undefined): Promise<string> {
  signal?.throwIfAborted();
  const isPosix = process.platform !== 'win32';
  // A group of its own, so that what the shell has started ends with it.
  const child = spawn(command, { shell: true, detached: isPosix, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => killAll(child, isPosix);
  let [out, err, hung] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out = (out + text).slice(0, MOST_PRINTED);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err = (err + text).slice(-500);
  });
  const clock = setTimeout(() => {
    hung = true;
    stop();
  }, patience * 1000);
  signal?.addEventListener('abort', stop, { once: true });
  const place = placeOf(command);
  try {
    const [code, killed] = await new Promise<readonly [number | null, string | null]>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, by) => resolve([status, by]));
    });
    signal?.throwIfAborted();
    if (hung)
      throw invalid(place, `no answer after ${patience} s`, 'must end; --device-timeout sets how long it may take');
    if (code === 0) return out;
    const how = killed === null ? `it exits with code ${code}` : `it was killed by ${killed}`;
    const said = printable(err.trim()).replaceAll('\n', ' ');
    throw invalid(place, said === '' ? how : `${how}: ${said}`, 'must exit with code 0');
  } finally {
    clearTimeout(clock);
    signal?.removeEventListener('abort', stop);
  }
}

function killAll(child: ChildProcess, isGroup: boolean): void {
  try {
    if (isGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    else child.kill('SIGKILL');
  } catch {
    // It has ended.
  }
}

const placeOf = (command: string) => `--device-command "${printable(command)}"`;

/** What a command has printed, as milliseconds. Throws UserError for anything else. */
export function answerOf(text: string): Timing {
  const found = text.trim();
  const refuse = (what: string) => invalid('--device-command', what, RULE);
  if (found === '') throw refuse('it prints nothing');
  const number = parseNumber(found);
  const json = number ?? (/^[[{]/.test(found) ? parseJson(found, '--device-command prints JSON') : undefined);
  if (json === undefined) throw refuse(`it prints ${shownValue(found)}`);
  const isObject = json !== null && typeof json === 'object' && !Array.isArray(json);
  const times: unknown = isObject ? Reflect.get(json, 'milliseconds') : json;
  const milliseconds: readonly unknown[] = Array.isArray(times) ? times : [times];
  if (milliseconds.length === 0) throw refuse('it prints an empty list');
  for (const one of milliseconds)
    if (typeof one !== 'number' || !Number.isFinite(one) || one <= 0) throw refuse(`it prints ${shownValue(one)}`);
  const peakBytes: unknown = isObject ? Reflect.get(json, 'peakBytes') : undefined;
  if (peakBytes !== undefined && (typeof peakBytes !== 'number' || !(peakBytes > 0)))
    throw refuse(`it prints peakBytes ${shownValue(peakBytes)}`);
  return { milliseconds: milliseconds.map(Number), ...(typeof peakBytes === 'number' && { peakBytes }) };
}
