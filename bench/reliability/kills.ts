/**
 * Kills `netsmith` (SIGKILL) at random moments of search, confirmation and evaluation, then continues (`resume`, or the same
 * command). The trials, the evaluation and the weights must equal those of an undisturbed run.
 *
 *     npm run -s bench:reliability [-- --kills 60 --seed 1 --only search --json]
 *
 * Digits, tiny networks. 60 kills take about 10 minutes on 2 cores, `--kills 6` about one. A moment is a line of the command's
 * output and a delay; one that the command did not live to see is drawn again. Exit code 1 where a result differs, or where a
 * stack was printed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
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
  kills: { type: 'string', default: '60' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
});
const wanted = Number(flags.kills);
const phases = PHASES.filter((phase) => flags.only?.includes(phase) ?? true);
const root = mkdtempSync(join(tmpdir(), 'netsmith-kills-'));
const rows: Row[] = [];
try {
  const undisturbed = join(root, 'undisturbed');
  await undisturbedIn(undisturbed, phases);
  for (let index = 0; rows.length < wanted && index < 4 * wanted; index++) {
    const moment = momentOf(Number(flags.seed), index, phases);
    const { phase } = moment;
    const dir = join(root, `${index}`);
    prepare(phase, dir, undisturbed);
    const { code, signal, err, seconds } = await command(commandOf(phase, dir), moment, (child) =>
      child.kill('SIGKILL'),
    );
    if (signal === 'SIGKILL') {
      const next = await command(wayOn(phase, dir));
      const equal = next.code === 0 && (await isEqual(phase, dir, undisturbed));
      rows.push({ ...moment, code, seconds, stack: hasStack(err) || hasStack(next.err), equal });
      process.stderr.write(`${rows.length} of ${wanted}: ${JSON.stringify(rows.at(-1))}\n${equal ? '' : next.err}`);
    }
    rmSync(dir, { recursive: true, force: true });
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
process.stdout.write(`${flags.json ? JSON.stringify(rows, undefined, 1) : summaryOf(rows, phases)}\n`);
process.exitCode = rows.length === wanted && rows.every(({ equal, stack }) => equal && !stack) ? 0 : 1;
