import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import { parseJson } from '../../common/json.ts';
import type { TestSamples } from '../../report/samples.ts';
import { writeWhole } from '../../study/store/files.node.ts';

/** What `best/predictions.json` holds: of which evaluation it is, and the samples. */
const PREDICTIONS = z.strictObject({
  trial: z.int().min(0),
  epochs: z.int().min(1),
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

function fileOf(dir: string): string {
  return join(dir, 'best', 'predictions.json');
}

/** Keeps the samples of an evaluation for the report; without any, none of an earlier one are left. */
export function writePredictions(dir: string, trial: number, epochs: number, samples: TestSamples | undefined): void {
  if (samples === undefined) rmSync(fileOf(dir), { force: true });
  else writeWhole(fileOf(dir), `${JSON.stringify({ trial, epochs, samples })}\n`);
}

/** The samples that the evaluation of this trial kept. Undefined where it kept none; throws UserError where the file is damaged. */
export function readPredictions(dir: string, trial: number, epochs: number): TestSamples | undefined {
  const file = fileOf(dir);
  if (!existsSync(file)) return undefined;
  const place = `file "${file}"`;
  const parsed = PREDICTIONS.safeParse(parseJson(readFileSync(file, 'utf8'), place));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined ? '' : `${issue.path.join('.')}: ${issue.message}`;
    throw invalid(place, `damaged (${where})`, 'remove it, or run netsmith evaluate again');
  }
  const { samples, ...of } = parsed.data;
  if (of.trial !== trial || of.epochs !== epochs) return undefined;
  const shown = samples.shown.map((sample) => {
    const { image, cells, truth, predicted, confidence, truths, values } = sample;
    const about = { ...(image !== undefined && { image }), ...(cells !== undefined && { cells }) };
    if (truth !== undefined && predicted !== undefined && confidence !== undefined)
      return { ...about, truth, predicted, confidence };
    if (truths !== undefined && values !== undefined) return { ...about, truths, values };
    throw invalid(place, 'a sample without a prediction', 'remove it, or run netsmith evaluate again');
  });
  return { ...samples, shown };
}
