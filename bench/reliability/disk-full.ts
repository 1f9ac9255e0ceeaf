/**
 * Fills the disk of a study at random moments of search, confirmation and evaluation, then frees it and continues. The command
 * must stop with one sentence, no trial may fail, and the results must equal those of an undisturbed run.
 *
 *     npm run -s bench:reliability:disk [-- --moments 20 --seed 1 --only search --json]
 *
 * Linux. The disk is a tmpfs of 4 MiB in a user namespace (`unshare -rm`), or mounted plainly where that is refused; exit code 3
 * where neither can be done. Digits, tiny networks: 20 moments take about 5 minutes on 2 cores. A moment after which nothing
 * was to be written is drawn again. Exit code 1 where a result differs, or where a stack was printed.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseFlags } from '../support/flags.ts';
import {
  command,
  commandOf,
  hasStack,
  isEqual,
  momentOf,
  PHASES,
  prepare,
  type Row,
  summaryOf,
  undisturbedIn,
  wayOn,
} from './disturbed.ts';

const flags = parseFlags({
  moments: { type: 'string', default: '20' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
});
const wanted = Number(flags.moments);
const phases = PHASES.filter((phase) => flags.only?.includes(phase) ?? true);
const INSIDE = 'NETSMITH_BENCH_NAMESPACE';
const succeeds = (name: string, ...args: readonly string[]) => spawnSync(name, args, { stdio: 'ignore' }).status === 0;

const root = mkdtempSync(join(tmpdir(), 'netsmith-disk-'));
const disk = mkdtempSync(join(tmpdir(), 'netsmith-full-'));
const mount = ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk];
if (process.env[INSIDE] === undefined && succeeds('unshare', '-rm', 'mount', ...mount)) {
  const args = ['-rm', process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', args, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  process.exitCode = status ?? 1;
} else if (succeeds('mount', ...mount)) {
  await bench().finally(() => succeeds('umount', disk));
} else {
  process.stderr.write('no tmpfs can be mounted here, neither by `unshare -rm` nor plainly\n');
  process.exitCode = 3;
}
rmdirSync(disk);
rmSync(root, { recursive: true });

async function bench(): Promise<void> {
  const undisturbed = join(root, 'undisturbed');
  await undisturbedIn(undisturbed, phases);
  const rows: Row[] = [];
  const filler = join(disk, 'filler');
  for (let index = 0; rows.length < wanted && index < 4 * wanted; index++) {
    const moment = momentOf(Number(flags.seed), index, phases);
    const { phase } = moment;
    const dir = join(disk, 'study');
    prepare(phase, dir, undisturbed);
    const { code, err, seconds } = await command(commandOf(phase, dir), moment, () => fill(filler));
    rmSync(filler, { force: true });
    if (code !== 0) {
      const next = await command(wayOn(phase, dir));
      const equal = code === 1 && next.code === 0 && (await isEqual(phase, dir, undisturbed));
      rows.push({ ...moment, code, seconds, stack: hasStack(err) || hasStack(next.err), equal });
      const [last] = err.split('\n').filter((line) => line.startsWith('netsmith:'));
      process.stderr.write(`${rows.length} of ${wanted}: ${JSON.stringify(rows.at(-1))} ${last}\n`);
      if (!equal) process.stderr.write(`${err}${next.err}`);
    }
    rmSync(dir, { recursive: true, force: true });
  }
  process.stdout.write(`${flags.json ? JSON.stringify(rows, undefined, 1) : summaryOf(rows, phases)}\n`);
  process.exitCode = rows.length === wanted && rows.every(({ equal, stack }) => equal && !stack) ? 0 : 1;
}

/** Writes until nothing more can be written. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let size = 2 ** 20; size >= 1; size /= 4) {
      try {
        for (;;) writeSync(file, new Uint8Array(size));
      } catch {
        // Less may still fit.
      }
    }
  } finally {
    closeSync(file);
  }
}
