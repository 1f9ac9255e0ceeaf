import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { DataRequest } from '../dataset.ts';
import { openDataset } from '../open.node.ts';
import { encodeRow } from '../table.ts';
import { assertRefused, readAll, tempFolder } from '../testing/helpers.ts';
import { readTable, tableRows } from './table.node.ts';

async function opener(t: TestContext) {
  const path = join(await tempFolder(t), 'table.csv');
  return {
    path,
    async open(content: string | Uint8Array, request: Partial<DataRequest> = {}) {
      await writeFile(path, content);
      return openDataset({ name: 'csv', dir: path, seed: 1, ...request });
    },
  };
}

/** 40 rows: the weight and the color tell the class; the price is three times the weight. */
const rows = Array.from({ length: 40 }, (_, i) => {
  const heavy = i % 2 === 0;
  return {
    weight: i % 7 === 3 ? '' : String(heavy ? 100 + i : i),
    color: heavy ? 'red' : 'blue',
    price: 3 * i,
    species: heavy ? 'cow' : 'hen',
  };
});
const csv = (delimiter = ',') =>
  [['weight', 'color', 'price', 'species'], ...rows.map((row) => Object.values(row))]
    .map((row) => row.join(delimiter))
    .join('\n');

test('a decimal comma is read where semicolons separate the columns', async (t) => {
  const { open } = await opener(t);
  const lines = Array.from({ length: 30 }, (_, i) => `${i},5;-0,${i + 10};${i % 2 ? 'a' : 'b'}`);
  const { info } = (await open(['x;y;class', ...lines].join('\n'))).search;
  assert.deepEqual(
    info.encoding?.columns.map(({ kind }) => kind),
    ['number', 'number'],
  );
  assert.ok(Math.abs((info.mean[1] ?? 0) + 0.245) < 0.05, `${info.mean}`);
});

for (const [name, delimiter] of [
  ['comma', ','],
  ['semicolon', ';'],
  ['tab', '\t'],
] as const) {
  test(`${name}: numbers and categories, the last column as the class`, async (t) => {
    const { open } = await opener(t);
    const data = await open(csv(delimiter));
    const { info } = data.search;
    assert.deepEqual(
      [info.kind, info.input, info.labels, info.range],
      ['classification', [4], ['cow', 'hen'], undefined],
    );
    assert.deepEqual(info.counts, { train: 24, valid: 8, test: 8 });
    assert.ok(info.encoding);
    const parts = [data.search.train, data.search.valid, await data.openTest()];
    const all = (await Promise.all(parts.map((part) => readAll(part, 4)))).flatMap(({ inputs, targets }) =>
      inputs.map((features, k) => JSON.stringify([features, targets[k]])),
    );
    const { encoding } = info;
    const expected = rows.map((row) => JSON.stringify([[...encodeRow(encoding, row)], row.species === 'cow' ? 0 : 1]));
    assert.deepEqual(all.sort(), expected.sort());
  });
}

test('a numeric label is a regression if asked, standardized by the training part', async (t) => {
  const { open } = await opener(t);
  const { info, train } = (await open(csv(), { label: 'price', regression: true })).search;
  assert.deepEqual([info.kind, info.outputs, info.labels], ['regression', 1, ['price']]);
  const { targets } = await readAll(train, info.input[0] ?? 0);
  const mean = targets.reduce((sum, v) => sum + v, 0) / targets.length;
  assert.ok(Math.abs((info.target?.mean[0] ?? 0) - mean) < 1e-9);
  assert.ok((info.target?.deviation[0] ?? 0) > 1);
});

test('gzip, byte order mark, carriage returns, quotes and empty lines', async (t) => {
  const { open } = await opener(t);
  const body = rows.map((row) => `"a, ""b""\n${row.color}",${row.price},${row.species}\r\n\r\n`).join('');
  const { info } = (await open(gzipSync(`\ufefftext,price,species\r\n${body}`))).search;
  assert.deepEqual(info.encoding?.columns[0], {
    name: 'text',
    kind: 'category',
    categories: ['a, "b"\nblue', 'a, "b"\nred'],
  });
});

test('classes that are numbers are ordered by value; a constant feature is left out', async (t) => {
  const { open } = await opener(t);
  const body = rows.map((_, i) => `7,${i},${[10, 9, 100][i % 3]}`).join('\n');
  const { info } = (await open(`a,b,label\n${body}`)).search;
  assert.deepEqual(info.labels, ['9', '10', '100']);
  assert.deepEqual(info.input, [1]);
  assert.match(info.notes.join('\n'), /Column "a": left out, the same value in all training rows/);
});

test('bad tables are refused with file and line', async (t) => {
  const { open, path } = await opener(t);
  const body = csv();
  await assertRefused(open(`${body}\n1,red,2\n`), path, 'line 42', '3 fields', '4 columns');
  await assertRefused(open(`a,b\n\n"x\ny",1\n1,2,3\n`), 'line 5', '3 fields');
  await assertRefused(open(`${body}\n1,"red,2,cow\n1,red,2,cow\n`), 'line 42', 'not closed');
  await assertRefused(open(`${body}\n1,"red"x,2,cow\n`), 'line 42', 'quotation mark');
  await assertRefused(open(body, { label: 'kind' }), '"kind"', 'weight, color, price, species');
  await assertRefused(open(body, { label: 'color', regression: true }), 'line 2, column "color"', '"red"');
  await assertRefused(
    open(body, { label: 'price', seed: 1, regression: false }),
    '40 distinct values',
    'add --regression',
  );
  await assertRefused(open(`a,y\n${rows.map((_, i) => `${i},same`).join('\n')}`), 'always "same"', '2 classes');
  await assertRefused(open(`a,y\n1,p\n2,p\n3,p\n4,q\n5,q\n`), 'class "q" has 2 samples', 'at least 3');
  await assertRefused(open('1,2\n3,4\n'), 'line 1', 'only numbers');
  await assertRefused(open('a,a,b\n3,4,5\n'), 'line 1', 'two columns are named "a"');
  await assertRefused(open('a\n3\n'), 'line 1', 'there is 1 column');
  await assertRefused(open('a,b\n'), 'no rows');
  await assertRefused(open(''), 'line 1', 'empty');
  await assertRefused(open(Uint8Array.from([...Buffer.from('a,b\n1,2\n'), 0xff, 44, 49])), 'line 3', 'UTF-8');
  await assertRefused(open(gzipSync(body).subarray(0, 60)), 'byte offset 60', 'gzip data ends early');
  await assertRefused(openDataset({ name: 'csv', dir: join(path, '..'), seed: 1 }), 'it is a folder', 'file');
  await assertRefused(openDataset({ name: 'csv', dir: `${path}.gone`, seed: 1 }), 'does not exist', '.gone');
});

test('a table to predict on may lack the label; its rows encode as in training', async (t) => {
  const { open, path } = await opener(t);
  const { encoding } = (await open(csv())).search.info;
  assert.ok(encoding);
  await writeFile(path, 'price;color;weight\n3;red;\n4;green;8\n');
  const encoded = tableRows(await readTable(path)).map((row) => [...encodeRow(encoding, row)]);
  const weight = encoding.columns[0];
  assert.ok(weight?.kind === 'number');
  assert.deepEqual(encoded, [
    [weight.missing, 0, 1, 3],
    [8, 0, 0, 4],
  ]);
});

test('any text comes back from the file as it was written, with the line of each row', async (t) => {
  const path = join(await tempFolder(t), 'any.csv');
  const cell = fc.string({ unit: 'grapheme-ascii', maxLength: 8 }).map((text) => text.trim());
  const table = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 5 });
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  await fc.assert(
    fc.asyncProperty(table, async (written) => {
      await writeFile(
        path,
        `first,second,third\n${written.map((row) => [...row, 'z'].map(quoted).join(',')).join('\n')}\n`,
      );
      const { columns, lines } = await readTable(path);
      assert.deepEqual(
        columns.slice(0, 2).map(({ cells }) => cells),
        [0, 1].map((c) => written.map((row) => row[c])),
      );
      assert.deepEqual(
        lines,
        written.map((_, k) => k + 2),
      );
    }),
    { numRuns: 60 },
  );
});

test('labels: equal numbers are one class, words like NA are classes where they are frequent, rows without a label are left out', async (t) => {
  const { open } = await opener(t);
  const labeled = (label: (i: number) => string, request: Partial<DataRequest> = {}) =>
    open(`x,label\n${rows.map((_, i) => `${i % 7},${label(i)}`).join('\n')}`, request);
  const read = async (...args: Parameters<typeof labeled>) => {
    const { info } = (await labeled(...args)).search;
    const { train, valid, test } = info.counts;
    return { labels: info.labels, rows: train + valid + test, notes: info.notes.join('\n'), encoding: info.encoding };
  };
  const merged = await read((i) => ['1', '0.0', '1.0', '0'][i % 4] ?? '');
  assert.deepEqual(merged.labels, ['0', '1']);
  assert.match(merged.notes, /one class: "1" and "1.0"; "0.0" and "0"/);
  // Too many digits for a 64-bit number: not the same.
  assert.equal((await read((i) => `900719925474099${i % 2 ? 2 : 3}`)).labels.length, 2);
  assert.deepEqual((await read((i) => (i % 2 ? 'NA' : 'EU'))).labels, ['EU', 'NA']);
  const rare = await read((i) => (i % 10 === 4 ? 'NA' : i % 2 ? 'a' : 'b'));
  assert.deepEqual([rare.labels, rare.rows], [['a', 'b'], 36]);
  assert.match(rare.notes, /4 rows without a label are left out \("label" in line 6 is "NA"\)/);
  assert.deepEqual((await read((i) => (i % 4 === 0 ? 'NA' : String(i % 2)))).labels, ['0', '1'], 'beside numbers');
  assert.match((await read((i) => ['yes', 'Yes'][i % 2] ?? '')).notes, /differ only in case/);
  assert.match(
    (await read((i) => ['no', 'yes', ''][i % 3] ?? '')).notes,
    /13 rows without a label .* is an empty cell/,
  );
  const numbers = await read((i) => (i % 8 === 1 ? 'n/a' : `"$${(1e6 + i).toLocaleString('en-US')}"`), {
    regression: true,
  });
  assert.deepEqual([numbers.rows, numbers.encoding?.labelOffset], [35, 1_000_020]);
  await assertRefused(
    labeled(() => '-'),
    'is missing in every row',
  );
  await assertRefused(
    labeled((i) => (i === 3 ? '1e40' : String(i)), { regression: true }),
    'line 5, column "label"',
    '32-bit',
  );
});

test('headers: data in their place is refused, numbers that count or rise are names, line breaks are blanks', async (t) => {
  const { open } = await opener(t);
  const body = rows.map((_, i) => `${i},${i % 5},${i % 3},${i % 4},${i % 2 ? 'a' : 'b'}`).join('\n');
  await assertRefused(
    open(`5.1,3.5,1.4,0.2,a\n${body}`),
    'line 1',
    'most column names look like values',
    '"5.1", "3.5"',
  );
  await assertRefused(open(`b,c,d,b,a\n${body}`), 'two columns are named "b" (numbers 1 and 4)');
  for (const header of ['0,1,2,3,label', '400.5,410,420,430,label', '"a\n(mm)",b,c,d,label']) {
    const { info } = (await open(`${header}\n${body}`)).search;
    assert.equal(info.encoding?.columns.length, 4, header);
  }
  const { info } = (await open(`"a\n(mm)",b,c,d,label\n${body}`)).search;
  assert.equal(info.encoding?.columns[0]?.name, 'a (mm)');
});

test('UTF-16, carriage returns alone, a line that names the separator, empty rows and fields', async (t) => {
  const { open, path } = await opener(t);
  const columns = async (content: string | Uint8Array) =>
    ((await open(content)).search.info.encoding?.columns ?? []).map(({ name, kind }) => `${name} ${kind}`);
  const wanted = ['weight number', 'color category', 'price number'];
  assert.deepEqual(await columns(Buffer.from(`\ufeff${csv()}`, 'utf16le')), wanted);
  assert.deepEqual(await columns(Buffer.from(csv(), 'utf16le').swap16()), wanted);
  assert.deepEqual(await columns(csv().replaceAll('\n', '\r')), wanted);
  assert.deepEqual(await columns(csv('|')), wanted);
  await writeFile(path, `sep=;\r\n${csv(';').replaceAll('\n', '\r\n')};;\r\n;;;\r\n;;;\r\n5;red;7;cow\r\n`);
  const { rows: count, lines, numbers, notes } = await readTable(path);
  assert.deepEqual([count, lines.at(-1), numbers.at(-1)], [41, 45, 43]);
  assert.deepEqual(notes, ['2 rows without any value are left out.', '1 row has empty fields behind the last column.']);
  await assertRefused(open('a;b\n1;2\n1;2;3\n'), 'line 3', '3 fields');
});

test('a label with many different numbers is predicted as a number unless it is asked for as a class', async (t) => {
  const { open } = await opener(t);
  const kindOf = async (labels: readonly unknown[], request: Partial<DataRequest> = {}) =>
    (await open(['x,y', ...labels.map((label, i) => `${i},${label}`)].join('\n'), request)).search.info.kind;
  const many = (of: (i: number) => unknown) => Array.from({ length: 120 }, (_, i) => of(i));
  assert.equal(await kindOf(many((i) => 3 * i)), 'regression');
  assert.equal(await kindOf(many((i) => (i % 30) + 0.5)), 'regression');
  assert.equal(await kindOf(many((i) => i % 10)), 'classification');
  // Codes of 26 letters.
  assert.equal(await kindOf(many((i) => i % 26)), 'classification');
  assert.equal(await kindOf(many((i) => `n${i % 26}`)), 'classification');
  assert.equal(
    await kindOf(
      many((i) => i % 10),
      { regression: true },
    ),
    'regression',
  );
});
