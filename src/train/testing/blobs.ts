import { rng } from '../../common/random.ts';
import type { DatasetInfo, Samples, SearchData } from '../../data/dataset.ts';

/** Three clouds of points in the plane, easily told apart: data for tests that want training in milliseconds. */
export function blobs(train = 48, valid = 24): SearchData {
  const info: DatasetInfo = {
    name: 'blobs',
    kind: 'classification',
    input: [2],
    outputs: 3,
    labels: ['a', 'b', 'c'],
    mean: [0, 0],
    deviation: [3, 3],
    counts: { train, valid, test: 0 },
    notes: [],
  };
  return { info, train: points('train', train), valid: points('valid', valid) };
}

/** One target, a smooth function of two features. */
export function slope(train = 64, valid = 32): SearchData {
  const { info } = blobs(train, valid);
  const target = { mean: [10], deviation: [4] };
  const value = (x: number, y: number) => 10 + x - y;
  return {
    info: { ...info, name: 'slope', kind: 'regression', outputs: 1, labels: ['height'], target },
    train: points('train', train, value),
    valid: points('valid', valid, value),
  };
}

function points(part: string, count: number, value?: (x: number, y: number) => number): Samples {
  const random = rng('blobs', part);
  const all = Array.from({ length: count }, (_, i) => {
    const angle = (2 * Math.PI * (i % 3)) / 3;
    const [x, y] = [4 * Math.cos(angle) + random.normal(), 4 * Math.sin(angle) + random.normal()];
    return { x, y, target: value === undefined ? i % 3 : value(x, y) };
  });
  return {
    count,
    async read(indices, { input, target }) {
      for (const [at, index] of indices.entries()) {
        const point = all[index];
        if (point === undefined) throw new RangeError(`sample ${index} of ${count}`);
        input?.set([point.x, point.y], 2 * at);
        if (target) target[at] = point.target;
      }
    },
  };
}
