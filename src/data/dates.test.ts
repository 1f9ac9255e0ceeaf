import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readDate } from './dates.ts';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const two = (n: number) => String(n).padStart(2, '0');

test('a day is the same day however it is written', () => {
  fc.assert(
    fc.property(fc.integer({ min: -25_000, max: 40_000 }), (day) => {
      const date = new Date(day * 86_400_000);
      const [y, m, d] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
      const name = MONTHS[m - 1] ?? '';
      for (const text of [`${y}-${two(m)}-${two(d)}`, `${y}/${m}/${d}`, `${y}.${two(m)}.${two(d)}`]) {
        assert.deepEqual(readDate(text, 'ymd'), { days: day, timed: false }, text);
        assert.equal(readDate(text, 'dmy'), undefined, text);
      }
      for (const text of [
        `${d}/${m}/${y}`,
        `${two(d)}.${two(m)}.${y}`,
        `${d}-${m}-${y}`,
        `${d} ${name} ${y}`,
        `${d}-${name.slice(0, 3)}-${y}`,
      ])
        assert.equal(readDate(text, 'dmy')?.days, day, text);
      for (const text of [`${m}/${d}/${y}`, `${name} ${d}, ${y}`, `${name.slice(0, 3)} ${d} ${y}`])
        assert.equal(readDate(text, 'mdy')?.days, day, text);
    }),
  );
});

test('times: of day, after a date, with a zone, as a duration', () => {
  for (const [text, hours] of [
    ['0:00', 0],
    ['13:30', 13.5],
    ['06:00:36', 6.01],
    ['1:30 PM', 13.5],
    ['12:00 am', 0],
    ['12 pm', 12],
    ['2 days 06:00', 54],
  ] as const) {
    assert.ok(Math.abs((readDate(text, 'time')?.days ?? Number.NaN) * 24 - hours) < 1e-9, text);
  }
  for (const [text, hours] of [
    ['1970-01-02T06:00:00Z', 30],
    ['1970-01-02 06:00:00.000', 30],
    ['1970-01-02 06:00:00+02:00', 28],
    ['1970-01-02, 6:00 PM', 42],
  ] as const) {
    const found = readDate(text, 'ymd');
    assert.ok(found?.timed && Math.abs(found.days * 24 - hours) < 1e-9, text);
  }
});

test('days that do not exist, numbers, versions and names are not dates', () => {
  for (const text of [
    '2021-02-30',
    '2021-13-01',
    '0000-00-00',
    '31/11/2021',
    '1.2.3',
    '10.4.12',
    '1.344',
    '2021',
    'May',
    '1/2',
    '2019/20',
  ])
    for (const format of ['ymd', 'dmy', 'mdy', 'time'] as const) assert.equal(readDate(text, format), undefined, text);
  for (const text of ['25:70', '13 pm', '1:5', '12']) assert.equal(readDate(text, 'time'), undefined, text);
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (text) => {
      const found = readDate(text, 'dmy');
      return found === undefined || Number.isFinite(found.days);
    }),
  );
});
