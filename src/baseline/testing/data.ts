/** Small data sets in memory, of each kind that baselines serve. */
import { rng } from '../../common/random.ts';
import { assemble, inParts } from '../../data/assemble.ts';
import type { Dataset, TableEncoding } from '../../data/dataset.ts';
import { memorySource } from '../../data/samples.ts';
import { divide } from '../../data/split.ts';
import { reviews } from '../../data/testing/texts.ts';
import { fitTexts, textInfo, textSource } from '../../data/text/labeled.ts';

const COLORS = ['blue', 'green', 'red', 'white', 'yellow'];
const ENCODING: TableEncoding = {
  columns: [
    { name: 'size', kind: 'number', missing: 0 },
    { name: 'color', kind: 'category', categories: COLORS },
    { name: 'noise', kind: 'number', missing: 0 },
  ],
  label: 'label',
};

/** Rows of a table with two numbers and a category: `kind` is what the label is. */
export function tableData(kind: 'classification' | 'regression', rows = 400): Promise<Dataset> {
  const stream = rng('baselines', kind);
  const width = 2 + COLORS.length;
  const values = new Float32Array(rows * width);
  const targets = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const [size, color] = [stream.float(), stream.int(COLORS.length)];
    values[row * width] = size;
    values[row * width + 1 + color] = 1;
    values[(row + 1) * width - 1] = stream.normal();
    const level = (size > 0.5 ? 2 : 0) + (color < 2 ? 1 : 0) + 0.2 * stream.normal();
    targets[row] = kind === 'regression' ? 1000 + 50 * level : Number(level > 0.5) + Number(level > 1.5);
  }
  return whole(
    {
      ...{ name: 'table', kind, input: [width], encoding: ENCODING },
      ...(kind === 'regression' ? { outputs: 1, labels: ['label'] } : { outputs: 3, labels: ['a', 'b', 'c'] }),
    },
    values,
    targets,
  );
}

/** Gray images of two classes: bright in one corner or another. `side`: a multiple of 3. */
export function imageData(count = 200, side = 6): Promise<Dataset> {
  const stream = rng('baselines', 'images');
  const size = side * side;
  const values = new Float32Array(count * size);
  const targets = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const of = stream.int(2);
    targets[i] = of;
    for (let p = 0; p < size; p++) {
      const [y, x] = [Math.floor((3 * Math.floor(p / side)) / side), Math.floor((3 * (p % side)) / side)];
      const isBright = of === 0 ? y === 0 && x === 0 : y === 2 && x === 2;
      values[i * size + p] = (isBright ? 100 : 0) + stream.int(100);
    }
  }
  const info = {
    name: 'corners',
    kind: 'classification',
    input: [1, side, side],
    outputs: 2,
    labels: ['first', 'last'],
  };
  return whole({ ...info, range: [0, 255] }, values, targets);
}

function whole(
  info: Parameters<typeof assemble>[0]['info'],
  values: Float32Array,
  targets: Float32Array,
): Promise<Dataset> {
  const elements = info.input.reduce((product, n) => product * n, 1);
  const classes = info.kind === 'classification' ? { classes: { of: targets, names: info.labels } } : {};
  const parts = divide({ place: info.name, count: targets.length, ownTest: false, ...classes }, { seed: 1 });
  return assemble({ info, pool: memorySource({ values, elements, targets }), notes: [] }, parts, { seed: 1 });
}

/** Reviews whose words tell their class, as tokens. */
export function textData(count = 200): Promise<Dataset> {
  const all = reviews(count);
  const labels = ['1', '5'];
  const targets = Float32Array.from(all, ({ stars }) => labels.indexOf(String(stars)));
  const parts = divide({ place: 'texts', count, classes: { of: targets, names: labels }, ownTest: false }, { seed: 1 });
  const texts = all.map(({ text }) => text);
  const fitted = fitTexts(
    'texts',
    Array.from(parts.train, (i) => texts[i] ?? ''),
    {},
  );
  const info = { name: 'texts', outputs: labels.length, labels, ...textInfo(fitted) };
  return Promise.resolve(inParts({ info, pool: textSource(texts, targets, fitted), notes: [] }, parts));
}
