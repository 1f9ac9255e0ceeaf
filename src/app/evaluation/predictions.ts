import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import type { TestSamples } from '../../report/samples.ts';
import { folderOf, writeInStudy } from '../../study/store/files.node.ts';
import { checkedRecord, readJson, withChecksum } from './evaluation.ts';

/** What `best/predictions.json` holds: of which evaluation it is, and the samples. */
const PREDICTIONS = z.strictObject({
  trial: z.int().min(0),
  epochs: z.int().min(1),
  checksum: z.string().exactOptional(),
  samples: z.strictObject({
    of: z.int().min(1),
    columns: z.array(z.string()).exactOptional(),
    shown: z
      .array(
        z.strictObject({
          // What a page shows must be a picture and nothing else.
          image: z
            .string()
            .regex(/^data:image\/(png|jpeg);base64,[A-Za-z0-9+/]+=*$/)
            .exactOptional(),
          cells: z.array(z.string()).exactOptional(),
          truth: z.int().min(0).exactOptional(),
          predicted: z.int().min(0).exactOptional(),
          confidence: z.number().min(0).max(1).exactOptional(),
          truths: z.array(z.number()).exactOptional(),
          values: z.array(z.number()).exactOptional(),
        }),
      )
      .max(100),
  }),
});

const FILE = 'predictions.json';
const RULE = 'delete it, or run netsmith evaluate again';

/** Keeps the samples of an evaluation for the report; without any, none of an earlier one are left. */
export function writePredictions(dir: string, trial: number, epochs: number, samples: TestSamples | undefined): void {
  if (samples === undefined) rmSync(join(folderOf(dir, 'best'), FILE), { force: true });
  else writeInStudy(dir, ['best', FILE], `${JSON.stringify(withChecksum({ trial, epochs, samples }))}\n`);
}

/** The samples that the evaluation of this trial kept. Undefined where it kept none; throws UserError where the file is damaged. */
export function readPredictions(dir: string, trial: number, epochs: number): TestSamples | undefined {
  const path = join(dir, 'best', FILE);
  const found = readJson(path);
  if (found === undefined) return undefined;
  const { samples, ...of } = checkedRecord(found, PREDICTIONS, path, RULE) as z.infer<typeof PREDICTIONS>;
  if (of.trial !== trial || of.epochs !== epochs) return undefined;
  const shown = samples.shown.map((sample) => {
    const { image, cells, truth, predicted, confidence, truths, values } = sample;
    const about = { ...(image !== undefined && { image }), ...(cells !== undefined && { cells }) };
    if (truth !== undefined && predicted !== undefined && confidence !== undefined)
      return { ...about, truth, predicted, confidence };
    if (truths !== undefined && values !== undefined) return { ...about, truths, values };
    throw invalid(`file "${path}"`, 'a sample without a prediction', RULE);
  });
  return { ...samples, shown };
}
