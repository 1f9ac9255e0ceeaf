/** Baselines that are no networks, for a study: fitted within a time limit, kept in `best/`, exported. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { FittedBaseline } from '../../baseline/baseline.ts';
import { type BaselineRow, runBaselines } from '../../baseline/run.ts';
import type { Engine } from '../../engine/engine.ts';
import type { TestedBaseline } from '../../report/data.ts';
import { checkBaselineParity, exportBaseline } from '../../report/export/baseline.ts';
import { modelJson } from '../../report/export/model-json.ts';
import { modelMetadata } from '../../report/export/onnx.ts';
import { sealModel } from '../../report/export/seal.node.ts';
import { writeInStudy } from '../../study/store/files.node.ts';
import { openEngine } from '../engine.ts';
import type { Setup } from '../setup.ts';
import { netsmithVersion } from '../versions.ts';
import { checkedRecord, checkKeeps, readJson, sha256Of, withChecksum } from './evaluation.ts';

export interface StudyBaselinesOptions {
  /** Whether the test split is opened: then each baseline is also fitted on train + validation data and tested. */
  readonly test: boolean;
  /** For all of them together; without it, each takes what it needs. */
  readonly seconds?: number;
}

export interface BaselineEvents {
  onStart?(name: string): void;
  /** Not for those of an earlier call. */
  onRow?(row: BaselineRow): void;
}

const FILE = 'baselines.json';
/** In `best/`. */
const FOLDER = 'baselines';
const MODEL = /^best\/baselines\/[a-z-]+\.onnx$/;
const metrics = z.record(z.string(), z.number().nullable());
const name = z.string().regex(/^[a-z-]+$/);
const SCHEMA = z.looseObject({
  of: z.string(),
  rows: z.array(
    z.union([
      z.looseObject({ name, skipped: z.enum(['time', 'unfit', 'failed']), reason: z.string() }),
      z.looseObject({
        ...{ name, validation: metrics, test: metrics.exactOptional(), seconds: z.number() },
        ...{
          effort: z.int().exactOptional(),
          exported: z.string().regex(MODEL).exactOptional(),
          notes: z.array(z.string()),
        },
      }),
    ]),
  ),
});

/**
 * None in an environment, which has no samples. Fits the baselines that can serve the study's data and measures them by its metrics. A row is kept in `best/baselines.json` as soon
 * as it is there, and a model in `best/baselines/NAME.onnx` with its JSON: after an interruption, the same call does what is left.
 * `exported` in a row is the path of the file within the study. Throws the signal's reason when aborted, and UserError where nothing
 * can be written.
 */
export async function studyBaselines(
  dir: string,
  { settings, dataset, control }: Pick<Setup, 'settings' | 'dataset' | 'control'>,
  { test, seconds }: StudyBaselinesOptions,
  events: BaselineEvents,
  signal: AbortSignal,
): Promise<readonly BaselineRow[]> {
  if (control !== undefined) return [];
  checkKeeps(dir);
  const { info, train, valid, task } = dataset.search;
  const { notes: _, ...data } = info;
  const of = sha256Of(Buffer.from(JSON.stringify({ seed: settings.seed, data, test }))).slice(0, 32);
  const version = netsmithVersion();
  const kept = new Map(readKept(dir, of).map((row) => [row.name, row]));
  let engine: Engine | undefined;
  try {
    return await runBaselines({
      ...{ info, train, valid, signal, seed: settings.seed, earlier: [...kept.values()] },
      ...(task && { task }),
      ...(test && { test: await dataset.openTest() }),
      ...(seconds !== undefined && { deadline: performance.now() + 1000 * seconds }),
      onStart: (name) => events.onStart?.(name),
      onRow(row) {
        kept.set(row.name, row);
        writeInStudy(
          dir,
          ['best', FILE],
          `${JSON.stringify(withChecksum({ of, rows: [...kept.values()] }), null, 2)}\n`,
        );
        events.onRow?.(row);
      },
      async exporting(name: string, fitted: FittedBaseline) {
        const { form } = fitted;
        const samples = valid.count > 0 ? valid : train;
        if (form === undefined) return undefined;
        const trainedOn = test ? 'train + valid' : 'train';
        const training = { trainedOn, ...(fitted.effort !== undefined && { effort: fitted.effort }) };
        const own = task && { task };
        const model = sealModel(exportBaseline({ name, form, info, ...own, about: { version, training } }));
        engine ??= await openEngine(settings, 1);
        await checkBaselineParity({ engine, model, fitted, info, ...own, samples });
        const file = `${name}.onnx`;
        writeInStudy(dir, ['best', FOLDER, file], model);
        const json = modelJson(modelMetadata(`model "${file}"`, model), file);
        writeInStudy(dir, ['best', FOLDER, `${name}.json`], `${JSON.stringify(json, null, 2)}\n`);
        return `best/${FOLDER}/${file}`;
      },
    });
  } finally {
    await engine?.dispose();
  }
}

/** Of the same data and seed; without those whose exported file is gone. Throws UserError for a file that is not what was written. */
function readKept(dir: string, of: string): readonly BaselineRow[] {
  const record = readRecord(dir);
  if (record?.of !== of) return [];
  return record.rows.filter(
    (row) => 'skipped' in row || row.exported === undefined || existsSync(join(dir, row.exported)),
  );
}

/** Those that were tested, of the study's last `studyBaselines`. Throws UserError for a file that is not what was written. */
export function testedBaselines(dir: string): readonly TestedBaseline[] {
  return (readRecord(dir)?.rows ?? []).flatMap((row) =>
    'skipped' in row || row.test === undefined ? [] : [{ ...row, test: row.test }],
  );
}

function readRecord(dir: string): { readonly of: string; readonly rows: readonly BaselineRow[] } | undefined {
  const path = join(dir, 'best', FILE);
  const found = readJson(path);
  if (found === undefined) return undefined;
  const rule = 'delete it: the baselines are fitted again';
  return checkedRecord(found, SCHEMA, path, rule) as { readonly of: string; readonly rows: readonly BaselineRow[] };
}
