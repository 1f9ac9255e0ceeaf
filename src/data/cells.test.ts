import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { isMissing, mayBeName, numberIn, readNumber, tidy } from './cells.ts';

/** How people write a number with one decimal. */
const STYLES: Readonly<Record<string, readonly [decimal: '.' | ',', group: string]>> = {
  plain: ['.', ''],
  American: ['.', ','],
  German: [',', '.'],
  French: [',', '\u202f'],
  Swiss: ['.', '’'],
  International: ['.', '\u00a0'],
};

function write(tenths: number, [decimal, group]: readonly [string, string]): string {
  const whole = String(Math.floor(Math.abs(tenths) / 10)).replace(/\B(?=(\d{3})+$)/g, group);
  return `${tenths < 0 ? '-' : ''}${whole}${decimal}${Math.abs(tenths) % 10}`;
}

test('a number is the same in every notation, whatever stands beside it', () => {
  const units = ['', '%', ' %', '€', ' EUR', ' kg', ' km/h', ' kmpl', '°C', ' m²'];
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.constantFrom(...Object.values(STYLES)),
      fc.constantFrom(...units),
      fc.boolean(),
      (tenths, style, unit, unicode) => {
        const text = `${write(tenths, style)}${unit}`;
        const found = readNumber(tidy(unicode ? text.replace('-', '\u2212') : text), style[0]);
        assert.deepEqual(found, { value: tenths / 10, unit: unit.trim() }, text);
      },
    ),
  );
  for (const [text, value] of [
    ['$1,344.50', 1344.5],
    ['-$5', -5],
    ['$-5', -5],
    ['US$ 7', 7],
    ['EUR 1.50', 1.5],
    ['Rs. 20', 20],
    ['(1,200)', -1200],
    ['12-', -12],
    ['€1.5M', 1.5e6],
    ['£2bn', 2e9],
    ['565K', 565e3],
    ['1,00,000', 1e5],
    ['1e5', 1e5],
    ['1E+05', 1e5],
    ['.5', 0.5],
    ['+3', 3],
  ] as const) {
    assert.equal(readNumber(text)?.value, value, text);
  }
});

test('names, codes, dates and half-written numbers are no numbers', () => {
  const texts =
    '1A|A12|C85|12 34|1,34|1,2345|1.2.3|10-20|2021-01-01|10:30|5 Jan 2021|PC 17599|+-1|--1|$|%|4 B 7|2nd flat 3';
  for (const text of texts.split('|')) assert.equal(readNumber(text), undefined, text);
  // Names that every object has.
  for (const text of ['0toString', '0constructor', '$1constructor'])
    assert.ok(!Number.isNaN(readNumber(text)?.value), text);
  assert.equal(numberIn('1e999'), undefined);
  assert.equal(numberIn('5', { unit: '%' }), undefined, 'a share needs its sign');
  assert.equal(numberIn('5', { unit: '$' }), 5);
  assert.equal(numberIn('5 kg', { unit: 'lb' }), undefined);
});

test('missing markers: those of pandas, spreadsheets and databases, in any case', () => {
  const pandas = '#N/A|#N/A N/A|#NA|-1.#IND|-1.#QNAN|-NaN|-nan|1.#IND|1.#QNAN|<NA>|N/A|NA|NULL|NaN|None|n/a|nan|null';
  for (const text of [
    '',
    ' ',
    ...pandas.split('|'),
    'missing',
    '-',
    '.',
    '?',
    '\\N',
    '#DIV/0!',
    'inf',
    '-inf',
    'Infinity',
  ]) {
    assert.ok(isMissing(text), text);
    assert.equal(numberIn(text), undefined, text);
  }
  for (const text of ['0', 'no', 'Nan Goldin', 'naan', 'information']) assert.ok(!isMissing(text), text);
  for (const text of ['NA', 'None', 'null', 'missing', 'n/a']) assert.ok(mayBeName(text), text);
  for (const text of ['#N/A', 'NaN', '-', '?', '\\N', '<NA>', '-inf']) assert.ok(!mayBeName(text), text);
});

test('any text is read without an error and in no time', () => {
  const pieces = fc.array(
    fc.constantFrom('1', '000', ',', '.', ' ', "'", '-', '+', '(', ')', 'e', '%', '$', 'K', 'kg', '\u00a0'),
    {
      maxLength: 60,
    },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        pieces.map((parts) => parts.join('')),
      ),
      (text) => {
        for (const decimal of ['.', ','] as const) {
          const found = readNumber(tidy(text), decimal);
          assert.ok(found === undefined || !Number.isNaN(found.value));
        }
        return typeof isMissing(text) === 'boolean';
      },
    ),
    { numRuns: 2000 },
  );
});
