/**
 * Fills the disk of a study at random moments of search, confirmation and evaluation, then frees it and continues. The command
 * must stop with one sentence, no trial may fail, and the results must equal those of an undisturbed run.
 *
 *     npm run -s bench:reliability:disk [-- --moments 20 --seed 1 --only search --json]
 *
 * Linux. The disk is a tmpfs of 4 MiB in a user namespace (`unshare -rm`), or mounted directly where that is refused; exit code 3
 * where neither works. Digits, tiny networks: 20 moments take about 5 minutes on 2 cores. A moment after the
 * last write is drawn again. Exit code 1 where a result differs, or where a stack was printed.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reliabilityBench } from './disturbed.ts';

const bench = reliabilityBench(20);
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
  const filler = join(disk, 'filler');
  await bench({
    root,
    dir: join(disk, 'study'),
    disturb: () => fill(filler),
    repair: () => rmSync(filler, { force: true }),
    isDisturbed: ({ code }) => code !== 0,
  }).finally(() => succeeds('umount', disk));
} else {
  process.stderr.write('no tmpfs can be mounted here, neither by `unshare -rm` nor directly\n');
  process.exitCode = 3;
}
rmdirSync(disk);
rmSync(root, { recursive: true });

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
