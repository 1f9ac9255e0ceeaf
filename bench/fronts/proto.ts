import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { hypervolume } from '../../src/common/hypervolume.ts';
import type { Objective } from '../../src/common/metrics.ts';
import { openNasBench201 } from '../../src/estimate/tabular/nas-bench-201.node.ts';
import { parseArchitecture, first, successor } from '../../src/space/index.ts';
import { architectureKey } from '../../src/space/tree/architecture.ts';
import { createStrategy } from '../../src/strategy/index.ts';
import { simulate, tabularProblem } from '../../src/study/simulate.ts';
import { createEngine } from '../../src/engine/create.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';

const base = await openNasBench201();
const [device, name, optionText = '', seedsText = '10', firstSeed = '0'] = process.argv.slice(2) as string[];
const lines = gunzipSync(readFileSync('/work/shared/data/nas-tables/nas-bench-201-latency.csv.gz')).toString().trim().split('\n').slice(1);
const lat = new Map<string, number>();
for (const line of lines) {
  const [, arch = '', raspi, pixel] = line.split(',');
  if (Number(raspi) < 0.2) continue;
  lat.set(architectureKey(parseArchitecture(base.space, arch)), Number(device === 'raspi4' ? raspi : pixel));
}
const objectives: [Objective, ...Objective[]] = [
  { metric: 'accuracy', direction: 'maximize', unit: 'share' },
  { metric: 'latency', direction: 'minimize', unit: 'ms' },
];
const table = { ...base, objectives, lookup(a: any, d: string) {
  const latency = lat.get(architectureKey(a));
  const row = base.lookup(a, d);
  return row && latency !== undefined ? { ...row, metrics: { ...row.metrics, latency } } : undefined;
} };
const all: any[] = [];
for (let one: any = first(base.space); one; one = successor(base.space, one)) { const r = table.lookup(one, 'cifar-10'); if (r) all.push({ metrics: r.metrics, one }); }
const worst = { accuracy: 0.75, latency: Math.max(...lat.values()) };
const best = { accuracy: 1, latency: 0 };
const exact = hypervolume(all, objectives, worst, best);
if (!process.argv[3]) { console.log(all.length, worst, exact); process.exit(); }
const options = Object.fromEntries(optionText.split(',').filter(Boolean).map((p) => { const [k = '', v = ''] = p.split('='); return [k, v === 'true' ? true : v === 'false' ? false : Number.isNaN(Number(v)) ? v : Number(v)]; }));
const out: number[] = [];
const begin = process.cpuUsage();
for (let seed = Number(firstSeed); seed < Number(firstSeed) + Number(seedsText); seed++) {
  const { trials } = await simulate({ strategy: createStrategy(name!, options, { engine: () => createEngine(nodeRuntime(), { device: 'cpu', threads: 1 }) }), problem: { ...tabularProblem(table as any, 'cifar-10', seed, { objectives }), ...(process.env.NOREF ? {} : { reference: worst }) }, table: table as any, dataset: 'cifar-10', budget: { evaluations: 300 } });
  if (process.env.DEBUG) {
    for (const n of [30, 60, 100, 150, 200, 250, 300]) console.log(n, (hypervolume(trials.slice(0, n), objectives, worst, best) / exact).toFixed(4));
    const stairs = (pts: any[], l: number) => Math.max(0.75, ...pts.filter((p) => p.metrics.latency <= l).map((p) => p.metrics.accuracy));
    const seg: string[] = [];
    for (let l = 0; l < 98.9; l += 5) { let miss = 0; for (let x = l; x < l + 5; x += 0.25) miss += (stairs(all, x) - stairs(trials, x)) * 0.25; seg.push(`${l}:${(1000 * miss / (exact * 0.25 * 98.8875)).toFixed(1)}`); }
    console.log('missing per mille by latency', seg.join(' '));
  }
  out.push(hypervolume(trials, objectives, worst, best) / exact);
}
const used = process.cpuUsage(begin);
out.sort((a, b) => a - b);
const q = (p: number) => out[Math.min(out.length - 1, Math.floor(p * out.length))]!.toFixed(4);
const median = (out[Math.floor((out.length - 1) / 2)]! + out[Math.ceil((out.length - 1) / 2)]!) / 2;
console.log(device, name, optionText, 'median', median.toFixed(4), 'mean', (out.reduce((a, b) => a + b) / out.length).toFixed(4), 'quartiles', q(0.25), q(0.75), 'cpu s/search', ((used.user + used.system) / 1e6 / out.length).toFixed(2));
