// Prints the files that carry a trial from `netsmith search` to its first training step, in the order in which they call each other:
// `node scripts/walk.ts`. docs/ARCHITECTURE.md shows the list, and test/walk.test.ts holds it against this.
//
// A file carries the trial if one of its functions is on the call path: on the stack, through every `await`, at one of the moments at
// which the trial is handed on. These are: the process of the command sends it to a worker process; the worker process asks the engine's
// thread to run the training step; that thread calls ONNX Runtime. What such a function calls and has back before (opening data, building
// the graph, compiling it) is on no path, and is not counted: it serves the trial, but a reader who follows the trial goes past it.
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const ROOT = resolve(import.meta.dirname, '..');

/** A moment at which the trial is handed on, and who does it. */
interface Leg {
  readonly title: string;
  /** Files below src/, the caller first. */
  readonly files: readonly string[];
}

const TITLES = {
  job: 'in the process of the command',
  run: 'in a worker process',
  ort: "in the engine's thread",
} as const;
type Moment = keyof typeof TITLES;

/** Searches for one trial of one epoch, and returns the path that it took. Throws Error if the search fails. */
export function walk(): readonly Leg[] {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-walk-'));
  const log = join(folder, 'walk.log');
  try {
    const args = [
      '--space',
      'mlp',
      '--trials',
      '1',
      '--epochs',
      '1',
      '--train-samples',
      '60',
      '--out',
      join(folder, 's'),
    ];
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'bin', 'netsmith.js'), 'search', ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        ...process.env,
        NETSMITH_WALK: log,
        NODE_OPTIONS: `--conditions=netsmith-source --import ${pathToFileURL(import.meta.filename).href}`,
      },
    });
    if (status !== 0) throw new Error(stderr);
    const seen: { readonly moment: Moment; readonly files: readonly string[] }[] = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    return (Object.keys(TITLES) as readonly Moment[]).map((moment) => ({
      title: TITLES[moment],
      files: seen.find((one) => one.moment === moment)?.files ?? [],
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The path as docs/ARCHITECTURE.md shows it: a line for each leg and each file, and the count. */
export function walkText(legs: readonly Leg[]): string {
  const files = new Set(legs.flatMap((leg) => leg.files));
  const lines = legs.flatMap(({ title, files }) => [`${title}:`, ...files.map((file) => `  ${file}`)]);
  return [...lines, `${files.size} files`].join('\n');
}

/** In a process that `walk` has started: notes who is on the stack when the trial is handed on for the first time. */
function listen(log: string): void {
  Error.stackTraceLimit = Number.POSITIVE_INFINITY;
  const noted = new Set<Moment>();
  const note = (moment: Moment) => {
    if (noted.has(moment)) return;
    const { stack = '' } = new Error('here');
    const paths = [...stack.matchAll(/(file:\/\/[^:)]+\.ts):\d+/g)].map(([, url = '']) => new URL(url).pathname);
    const ours = paths.map((path) => relative(join(ROOT, 'src'), path)).filter((path) => !path.startsWith('..'));
    // An engine runs its own graph to see how it computes.
    if (moment === 'run' && !ours.some((path) => path.startsWith('train/'))) return;
    noted.add(moment);
    appendFileSync(log, `${JSON.stringify({ moment, files: [...new Set(ours.toReversed())] })}\n`);
  };
  const require = createRequire(import.meta.url);
  const before = (target: object, name: string, look: (message: unknown) => Moment | undefined) => {
    const original: unknown = Reflect.get(target, name);
    if (typeof original !== 'function') throw new Error(`no method ${name}`);
    Reflect.set(target, name, function (this: unknown, ...args: unknown[]) {
      const moment = look(args[0]);
      if (moment !== undefined) note(moment);
      return Reflect.apply(original, this, args);
    });
  };
  const kindOf = (value: unknown, ...path: readonly string[]) =>
    path.reduce<unknown>((at, name) => (at instanceof Object ? Reflect.get(at, name) : undefined), value);
  const processes: typeof import('node:child_process') = require('node:child_process');
  const { fork } = processes;
  // The method `send` is the child's own.
  processes.fork = (...args: readonly unknown[]) => {
    const child: ReturnType<typeof fork> = Reflect.apply(fork, processes, args);
    before(child, 'send', (message) => (kindOf(message, 'kind') === 'job' ? 'job' : undefined));
    return child;
  };
  syncBuiltinESMExports();
  // Only a worker process trains.
  if (isMainThread && process.send === undefined) return;
  before(require('node:worker_threads').Worker.prototype, 'postMessage', (message) =>
    kindOf(message, 'request', 'kind') === 'run' ? 'run' : undefined,
  );
  before(require('onnxruntime-node').InferenceSession.prototype, 'run', () => 'ort');
}

const log = process.env.NETSMITH_WALK;
if (log !== undefined) listen(log);
else if (process.argv[1] === import.meta.filename) process.stdout.write(`${walkText(walk())}\n`);
