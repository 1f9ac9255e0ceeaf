// Writes the packs of NAS-Bench-201 (src/estimate/tabular/ and, test columns alone, src/report/tabular/) from a CSV:
//
//     node --conditions=netsmith-source scripts/pack-nas-bench-201.ts ../shared/data/nas-bench-201.csv.gz
//
// The CSV has a row for each architecture, named in the benchmark's own notation in the column `arch`; accuracies in percent.
// `FILE --check` writes nothing and compares every value of the packs with the CSV.
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ordinalIn } from '../src/estimate/tabular/ordinal.ts';
import { openPack, packColumns } from '../src/estimate/tabular/pack.ts';
import { parseArchitecture, SPACES } from '../src/space/index.ts';

/** Decimals of a percentage, seconds or counts, as the CSV has them. */
const SEARCH = { c10_val_12: 3, c100_val_12: 2, in16_val_12: 4, c10_train_s_12: 4, params_c10: 0, flops_c10: 0 };
const TEST = { c10_test_200: 4, c100_test_200: 4, in16_test_200: 4 };
const ABOUT =
  'NAS-Bench-201, revised as NATS-Bench (topology), by Xuanyi Dong et al.; MIT license; https://github.com/D-X-Y/NATS-Bench. ' +
  'Rows in the order of enumeration of the space nas-bench-201; accuracies are shares, times are seconds.';
const FILES = [
  { file: '../src/estimate/tabular/nas-bench-201.pack', decimals: SEARCH },
  { file: '../src/report/tabular/nas-bench-201-test.pack', decimals: TEST },
];

const [, , source = '', check] = argv;
const [header = '', ...lines] = gunzipSync(readFileSync(source)).toString('utf8').trim().split(/\r?\n/);
const names = header.split(',');
const space = SPACES['nas-bench-201'].create({ kind: 'classification', input: [3, 32, 32], outputs: 10 });
const ordinal = ordinalIn(space);
const rows: (readonly string[])[] = [];
for (const line of lines) {
  const cells = line.split(',');
  const row = ordinal(parseArchitecture(space, cells[0] ?? ''));
  if (row === undefined || rows[row] !== undefined) throw new Error(`unknown, or there twice: ${cells[0]}`);
  rows[row] = cells;
}
if (lines.length !== 5 ** 6 || rows.length !== lines.length) throw new Error(`${lines.length} rows, not ${5 ** 6}`);

for (const { file, decimals } of FILES) {
  const columns = Object.entries(decimals).map(([name, digits]) => {
    const at = names.indexOf(name);
    const percent = /_(val|test)_/.test(name) ? 100 : 1;
    const values = rows.map((cells) => Number(cells[at]) / percent);
    if (!values.every(Number.isFinite)) throw new Error(`column ${name} is not all numbers`);
    return { name, values, decimals: percent === 100 ? digits + 2 : digits };
  });
  const url = new URL(file, import.meta.url);
  if (check !== '--check') writeFileSync(url, gzipSync(packColumns(ABOUT, columns), { level: 9 }));
  const pack = await openPack(Uint8Array.from(readFileSync(url)));
  for (const { name, values } of columns) {
    const worst = pack
      .column(name)
      .reduce((most, value, row) => Math.max(most, Math.abs(value - (values[row] ?? 0))), 0);
    if (worst > 1e-9) throw new Error(`${file}: column ${name} is off by ${worst}`);
  }
  console.log(`${file}: ${columns.length} columns of ${pack.rows}, ${readFileSync(url).length} bytes`);
}
