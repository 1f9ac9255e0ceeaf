import type { Case } from './cases.ts';

const trains = (input: string, note?: RegExp): Case => ({ input, expect: { accuracy: 0.9, ...(note && { note }) } });

/** The tables among `../shared/cases`. Without trouble (`csv-control`) the network gives 97.5 %. */
export const TABLE_CASES: readonly Case[] = [
  trains('csv-control/d.csv'),
  trains('csv-dates/d.csv', /"date": read as dates.*"time": read as times of day/s),
  trains('csv-empty-trailing-rows/comma.csv', /3 rows without any value are left out/),
  trains('csv-empty-trailing-rows/d.csv', /rows without any value are left out.*"Date": left out, the same value/s),
  trains('csv-float32-overflow/plain.csv'),
  {
    input: 'csv-float32-overflow/feature.csv',
    expect: { refused: /line 22, column "x2": the value is "1e39".*32-bit float/ },
  },
  {
    input: 'csv-float32-overflow/label.csv',
    args: ['--label', 'y', '--regression'],
    expect: { refused: /line 201, column "y": the value is "1e39".*32-bit float/ },
  },
  trains('csv-header-newline/comma.csv'),
  trains('csv-header-newline/d.csv'),
  trains('csv-label-missing/d.csv', /without a label .* left out/),
  ...['na', 'none', 'null'].map((name) => ({
    input: `csv-label-missing/${name}_class.csv`,
    expect: { accuracy: 0.9, classes: 2, note: /is read as a class, not as a missing value/ },
  })),
  { input: 'csv-labels-1-to-n/d.csv', expect: { classes: 12 } },
  { input: 'csv-labels-1-to-n/mixed.csv', expect: { accuracy: 0.9, classes: 2, note: /"0.0" and "0"/ } },
  { input: 'csv-labels-1-to-n/neg.csv', expect: { accuracy: 0.9, classes: 2 } },
  { input: 'csv-labels-1-to-n/spaces.csv', expect: { accuracy: 0.9, classes: 2 } },
  trains('csv-large-offset/ms.csv'),
  trains('csv-large-offset/seconds.csv'),
  ...'NaN dash div0 dot hashna inf minusinf missing na_lower na_small nanminus none sqln'
    .split(' ')
    .map((name) => trains(`csv-missing-marker/${name}.csv`, /Column "x1": ".*" read as missing \(/)),
  trains('csv-missing-marker/small_control.csv'),
  {
    input: 'csv-no-header/iris.data',
    args: ['--label', 'Iris-setosa'],
    expect: { refused: /line 1: most column names look like values/ },
  },
  trains('csv-sep-line/d.csv'),
  trains('csv-thousands/currency.csv', /"x1": read as numbers in "\$"/),
  trains('csv-thousands/d.csv', /"x1": "1,344.0" is read as 1344/),
  trains('csv-thousands/german.csv', /"x1": "1.344,0" is read as 1344/),
  trains('csv-thousands/percent.csv', /"x1": read as numbers in "%"/),
  trains('csv-unique-text-small/d.csv', /"name": left out, text that differs/),
  { input: 'csv-xlsx/d.csv', expect: { refused: /Excel workbook.*save it as CSV/ } },
];
