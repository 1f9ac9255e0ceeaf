import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { openNasBench201 } from '../../src/estimate/tabular/nas-bench-201.node.ts';
import { parseArchitecture, encodeOneHot } from '../../src/space/index.ts';
import { rng } from '../../src/common/random.ts';
import { fitHyperparameters, gaussianProcess } from '../../src/model/gaussian-process.ts';
import { featuresOf } from '../../src/strategy/surrogate/features.ts';
import { fitRidge } from '../../src/model/ridge.ts';
import { fitForest } from '../../src/model/forest.ts';
import { columnsOf, denseTable } from '../../src/model/sparse.ts';
const base = await openNasBench201();
const lines = gunzipSync(readFileSync('/work/shared/data/nas-tables/nas-bench-201-latency.csv.gz')).toString().trim().split('\n').slice(1);
let all = lines.map((l) => { const [, arch = '', raspi] = l.split(','); const a = parseArchitecture(base.space, arch); return { a, lat: Number(raspi), acc: base.lookup(a, 'cifar-10')!.metrics.accuracy as number }; }).filter((x) => x.lat >= 0.2);
all = rng('x').shuffle(all);
const sorted = [...all].sort((x, y) => x.lat - y.lat); let mx = 0; const near = new Set<any>();
for (const x of sorted) { mx = Math.max(mx, x.acc); if (x.acc > mx - 0.03 && x.acc > 0.7) near.add(x); }
console.log('near', near.size);
const N = Number(process.argv[2]);
const train = [...all.slice(0, N / 2), ...all.slice(N/2).filter((x) => near.has(x)).slice(0, N / 2)];
const test = rng('t').shuffle([...near]).filter((x) => !train.includes(x)).slice(0, 500);
const pathF = featuresOf(base.space, 'path'), ham = featuresOf(base.space, 'hamming');
const counts = (a: any) => { const v = Object.values(a); return ['none', 'skip_connect', 'nor_conv_1x1', 'nor_conv_3x3', 'avg_pool_3x3'].map((o) => v.filter((x) => x === o).length); };
for (const what of ['acc', 'lat'] as const) {
  const raw = train.map((x) => what === 'acc' ? Math.max(x.acc, 0.68) : Math.max(-x.lat,-60));
  const mean = raw.reduce((a, b) => a + b) / raw.length; const sd = Math.sqrt(raw.reduce((s, v) => s + (v - mean) ** 2, 0) / raw.length);
  const y = raw.map((v) => (v - mean) / sd);
  const truth = test.map((x) => ((what === 'acc' ? x.acc : -x.lat) - mean) / sd);
  const report = (name: string, preds: { mean: number; variance: number }[]) => {
    let c = 0, n = 0; for (let i = 0; i < test.length; i++) for (let j = 0; j < i; j++) { const s = (preds[i]!.mean - preds[j]!.mean) * (truth[i]! - truth[j]!); n++; c += Math.sign(s); }
    const rmse = Math.sqrt(preds.reduce((s, p, i) => s + (p.mean - truth[i]!) ** 2, 0) / preds.length);
    const z = preds.reduce((s, p, i) => s + ((p.mean - truth[i]!) ** 2) / p.variance, 0) / preds.length;
    console.log(what, name, 'tau', (c / n).toFixed(3), 'rmse', rmse.toFixed(3), 'z2', z.toFixed(2));
  };
  const gp = (name: string, metric: any, pts: any[], tpts: any[]) => { const t0 = process.cpuUsage().user; const h = fitHyperparameters(metric, pts.slice(0), y); const t1 = process.cpuUsage().user; const p = gaussianProcess(metric, h); for (const q of pts) p.add(q); const post = p.given(y); report(`${name} ${JSON.stringify(h)} fit ${((t1 - t0) / 1e3).toFixed(0)}ms`, tpts.map((q) => post.predict(q))); };
  for (const [n, f] of [['path', pathF], ['ham', ham]] as const) gp(n, f.metric, train.map((x) => f.pointOf(x.a)), test.map((x) => f.pointOf(x.a)));
  const both = { groups: pathF.metric.groups + ham.metric.groups, distances(a: any, b: any, out: any, at: number) { pathF.metric.distances(a[0], b[0], out, at); ham.metric.distances(a[1], b[1], out, at + pathF.metric.groups); } };
  gp('both', both, train.map((x) => [pathF.pointOf(x.a), ham.pointOf(x.a)]), test.map((x) => [pathF.pointOf(x.a), ham.pointOf(x.a)]));
  // counts + path + one group ham
  const cnt = { groups: 3, distances(a: any, b: any, out: any, at: number) { pathF.metric.distances(a[0], b[0], out, at); const o = new Float64Array(6); ham.metric.distances(a[1], b[1], o, 0); out[at + 1] = o.reduce((s, v) => s + v, 0) / 6; let d = 0; for (let i = 0; i < 5; i++) d += Math.abs(a[2][i] - b[2][i]); out[at + 2] = d / 12; } };
  const three = (x: any) => [pathF.pointOf(x.a), ham.pointOf(x.a), counts(x.a)];
  gp('path+ham1+counts', cnt, train.map(three), test.map(three));
  const rows = train.map((x) => pathF.rowOf(x.a)); const cols = columnsOf(rows, 1024);
  const dense = (x: any) => [...denseTable([pathF.rowOf(x.a)], cols, cols.count), ...encodeOneHot(base.space, x.a), ...counts(x.a)];
  const X = train.map(dense);
  for (const pen of [0.3, 1, 3]) { const r = fitRidge(X, y, pen); report(`ridge paths+onehot+counts ${pen}`, test.map((x) => ({ mean: r(dense(x)), variance: 1 }))); }
  const D2 = (x: any) => [...encodeOneHot(base.space, x.a), ...counts(x.a)];
  const r2 = fitRidge(train.map(D2), y, 1); report(`ridge onehot+counts`, test.map((x) => ({ mean: r2(D2(x)), variance: 1 })));
  // linear-kernel GP on dense + residual
  const fo = fitForest({ rows: X.length, columns: X[0]!.length, data: X.flat() }, y, rng('f')); report('forest', test.map((x) => fo.predict(dense(x))));
}
