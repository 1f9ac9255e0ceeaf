import { largest, smallest } from '../common/extremes.ts';
import type { DatasetInfo, Samples } from '../data/dataset.ts';
import { openTokenizer, type TextEncoding } from '../data/text/tokenizer.ts';
import { sizeOf } from '../graph/ir.ts';
import type { Outputs } from '../train/inference.ts';
import { type Chosen, cellsOf, chooseSamples, type TestSample, type TestSamples } from './samples.ts';

/** Longest side of an image in a report, in pixels; larger ones are made smaller. */
const SIDE = 96;
/** Up to this side an image is kept pixel by pixel (PNG), above it as JPEG: twelve take some 50 kB. */
const EXACT_SIDE = 32;

/** Test samples for a report with a network's predictions: images as data URIs, rows and texts as text. At most 12. */
export async function sampleTest(
  samples: Samples,
  info: DatasetInfo,
  outputs: Pick<Outputs, 'outputs' | 'truths'>,
): Promise<TestSamples> {
  const chosen = chooseSamples(info, outputs);
  if (chosen.length === 0) return { of: samples.count, shown: [] };
  if (info.text !== undefined) return { of: samples.count, ...(await textsOf(samples, info, info.text, chosen)) };
  const size = sizeOf(info.input);
  const inputs = new Float32Array(chosen.length * size);
  await samples.read(
    chosen.map(({ index }) => index),
    { input: inputs },
  );
  let columns: readonly string[] | undefined;
  const shown = await Promise.all(
    chosen.map(async ({ index: _, ...said }, i): Promise<TestSample> => {
      const values = inputs.subarray(i * size, (i + 1) * size);
      if (info.input.length === 3) return { ...said, image: await imageOf(values, info) };
      const row = info.encoding === undefined ? undefined : cellsOf(info.encoding, values);
      if (row === undefined) return said;
      columns = row.columns;
      return { ...said, cells: row.cells };
    }),
  );
  return { of: samples.count, ...(columns !== undefined && { columns }), shown };
}

/** Texts as the network reads them: their known words, cut at its length. */
async function textsOf(
  samples: Samples,
  { input: [length = 0] }: DatasetInfo,
  encoding: TextEncoding,
  chosen: readonly Chosen[],
): Promise<Omit<TestSamples, 'of'>> {
  const tokens = new Int32Array(chosen.length * length);
  await samples.read(
    chosen.map(({ index }) => index),
    { tokens },
  );
  const { decode } = openTokenizer(encoding.tokenizer);
  const shown = chosen.map(({ index: _, ...said }, i): TestSample => {
    const own = tokens.subarray(i * length, (i + 1) * length).filter((token) => token !== 0);
    return { ...said, cells: [decode(own.map((token) => token - 1))] };
  });
  return { columns: [encoding.column ?? 'text'], shown };
}

/** [C, H, W] in raw units to a data URI; of other than 3 channels, the first in gray. */
async function imageOf(values: Float32Array, { input, range }: DatasetInfo): Promise<string> {
  const [channels = 1, height = 1, width = 1] = input;
  const [low, high] = range ?? [smallest(values), largest(values)];
  const planes = channels === 3 ? 3 : 1;
  const area = height * width;
  const pixels = Buffer.alloc(planes * area);
  for (let c = 0; c < planes; c++) {
    for (let i = 0; i < area; i++) {
      const value = (values[c * area + i] ?? low) - low;
      pixels[i * planes + c] = Math.max(0, Math.min(255, Math.round((255 * value) / (high - low || 1))));
    }
  }
  const { default: sharp } = await import('sharp');
  const picture = sharp(pixels, { raw: { width, height, channels: planes } });
  if (Math.max(width, height) <= EXACT_SIDE) {
    return `data:image/png;base64,${(await picture.png().toBuffer()).toString('base64')}`;
  }
  const small = picture.resize(SIDE, SIDE, { fit: 'inside', withoutEnlargement: true });
  return `data:image/jpeg;base64,${(await small.jpeg({ quality: 82 }).toBuffer()).toString('base64')}`;
}
