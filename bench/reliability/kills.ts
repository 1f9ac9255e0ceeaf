/**
 * Kills `netsmith` (SIGKILL) at random moments of search, confirmation and evaluation, then continues (`resume`, or the same
 * command). The trials, the evaluation and the weights must equal those of an undisturbed run.
 *
 *     npm run -s bench:reliability [-- --moments 60 --seed 1 --only search --json]
 *
 * Digits, tiny networks. 60 kills take about 10 minutes on 2 cores, `--moments 6` about one. A moment is a line of the command's
 * output and a delay; a moment after the end of the command is drawn again. Exit code 1 where a result differs, or where a
 * stack was printed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reliabilityBench } from './disturbed.ts';

const bench = reliabilityBench(60);
const root = mkdtempSync(join(tmpdir(), 'netsmith-kills-'));
try {
  await bench({
    root,
    dir: join(root, 'study'),
    disturb: (child) => child.kill('SIGKILL'),
    isDisturbed: ({ signal }) => signal === 'SIGKILL',
  });
} finally {
  rmSync(root, { recursive: true, force: true });
}
