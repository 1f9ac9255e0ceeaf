/**
 * How much processor time a command takes that computes next to nothing: what is built (`dist/`, as in the published package) and the
 * sources, each without and with a cache of compiled code (`NODE_COMPILE_CACHE`), which the first round fills. One JSON array: seconds,
 * medians over the rounds, and their ratio to those of `dist/`.
 * `npm run -s build && npm run -s bench:start -- [--rounds 9]`
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isBuilt } from '../bin/program.js';
import { parseFlags } from './support/flags.ts';

const values = parseFlags({ rounds: { type: 'string', default: '9' } });
const rounds = Number(values.rounds);
if (!isBuilt()) throw new Error('dist/ is not what the sources would be built to: npm run build');

const COMMANDS = ['--version', 'spaces', 'run --help'];
const FORMS = [
  { form: 'dist', module: '../dist/cli/main.js', cached: false },
  { form: 'dist, cached', module: '../dist/cli/main.js', cached: true },
  { form: 'sources', module: '../src/cli/main.ts', cached: false },
  { form: 'sources, cached', module: '../src/cli/main.ts', cached: true },
] as const;

const cache = mkdtempSync(join(tmpdir(), 'netsmith-start-'));

function seconds(form: (typeof FORMS)[number], command: string): number {
  const code = `const { main } = await import(${JSON.stringify(new URL(form.module, import.meta.url).href)});
await main(process.argv.slice(1));
const { user, system } = process.cpuUsage();
process.stderr.write(String((user + system) / 1e6));`;
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', code, '--', ...command.split(' ')],
    {
      env: form.cached ? { ...env, NODE_COMPILE_CACHE: cache } : env,
      encoding: 'utf8',
    },
  );
  if (status !== 0) throw new Error(stderr);
  return Number(stderr);
}

const median = (all: readonly number[]) => all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN;

try {
  const taken = new Map<string, number[]>();
  // In turn, so that all forms meet the machine in the same states; the first round is not counted.
  for (let round = 0; round <= rounds; round++)
    for (const command of COMMANDS)
      for (const form of FORMS) {
        const key = `${form.form} ${command}`;
        const one = seconds(form, command);
        if (round > 0) taken.set(key, [...(taken.get(key) ?? []), one]);
      }
  const timed = (form: string, command: string) => median(taken.get(`${form} ${command}`) ?? []);
  const rows = COMMANDS.flatMap((command) =>
    FORMS.map(({ form }) => ({
      command: `netsmith ${command}`,
      form,
      cpuSeconds: Number(timed(form, command).toFixed(3)),
      timesDist: Number((timed(form, command) / timed('dist', command)).toFixed(2)),
    })),
  );
  console.log(JSON.stringify(rows, null, 2));
} finally {
  rmSync(cache, { recursive: true, force: true });
}
