/**
 * Throughput of two workers of one thread against one, in one run: trials of NAS-Bench-201 networks on CIFAR-10.
 * `npx node --conditions=netsmith-source bench/workers.ts --data-dir ../shared/data/cifar-10-batches-bin [--rounds 2]`
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseFlags } from './support/flags.ts';

const values = parseFlags({ 'data-dir': { type: 'string' }, rounds: { type: 'string', default: '2' } });
if (values['data-dir'] === undefined) throw new Error('--data-dir: the folder of the CIFAR-10 binaries');
const netsmith = fileURLToPath(new URL('../bin/netsmith.js', import.meta.url));
const settings =
  'search --data cifar-10 --space nas-bench-201 --space-options cells=1 --trials 8 --epochs 1 --train-samples 2000 ' +
  '--valid-share 0.1 --seed 1 --threads 1 --quiet --json';

function seconds(workers: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-bench-'));
  try {
    const args = [...settings.split(' '), '--data-dir', values['data-dir'] ?? '', '--workers', `${workers}`];
    const start = performance.now();
    execFileSync(process.execPath, [netsmith, ...args, '--out', join(folder, 'study')]);
    return (performance.now() - start) / 1000;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (let round = 1; round <= Number(values.rounds); round++) {
  const [one, two] = [seconds(1), seconds(2)];
  console.log(
    `round ${round}: one worker ${one.toFixed(1)} s, two ${two.toFixed(1)} s, ratio ${(one / two).toFixed(2)}`,
  );
}
