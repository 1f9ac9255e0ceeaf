/** How busy others keep the machine while something is timed. Linux only: elsewhere it is not known. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What /proc counts in: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time since the start: of the machine, and of this process with the children that have ended. */
function processorSeconds(): { readonly machine: number; readonly own: number } {
  // The fields after the command's name, which may hold spaces: 11 to 14 are the times in user and system mode, own and children's.
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /su, '')
    .split(' ');
  const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
  const machine = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0) / 1000;
  return { machine, own };
}

/** Returns what gives, when asked, the mean number of cores that other processes have kept busy since; undefined where it is not known. */
export function watchOthers(): () => number | undefined {
  if (process.platform !== 'linux') return () => undefined;
  const [before, start] = [processorSeconds(), performance.now()];
  return () => {
    const after = processorSeconds();
    const others = after.machine - before.machine - (after.own - before.own);
    return Math.max(0, others) / ((performance.now() - start) / 1000);
  };
}
