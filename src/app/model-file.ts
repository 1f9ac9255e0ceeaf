/** A trained network as an ONNX file, with the JSON file beside it that says how to feed it. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { invalid } from '../common/errors.ts';
import type { Json } from '../common/json.ts';
import type { Samples } from '../data/dataset.ts';
import type { Engine } from '../engine/engine.ts';
import type { HostTensor } from '../graph/ir.ts';
import type { ModelMetadata } from '../report/export/metadata.ts';
import { MODEL_JSON_FORMAT, modelJson } from '../report/export/model-json.ts';
import { exportOnnx, modelMetadata } from '../report/export/onnx.ts';
import { checkParity } from '../report/export/parity.ts';
import { sealModel } from '../report/export/seal.node.ts';
import { type Architecture, formatArchitecture, resolve } from '../space/index.ts';
import { checkFile, checkWritable, writeWhole } from '../study/store/files.node.ts';
import { policyModel } from './control/model.ts';
import { type Setup, treeOf } from './setup.ts';
import { netsmithVersion } from './versions.ts';

export interface ModelRequest {
  readonly engine: Engine;
  readonly setup: Setup;
  readonly architecture: Architecture;
  /** Parameters and statistics by path. */
  readonly weights: Readonly<Record<string, HostTensor>>;
  /** What the file says of its training. */
  readonly training: Json;
  /** Real samples, on which the file is compared with the training engine. */
  readonly samples: Samples;
}

/** The bytes of the file, and how far its outputs are from those of the training engine. Throws as `checkParity`. */
export async function modelOf({ engine, setup, architecture, training, ...all }: ModelRequest) {
  const space = treeOf(setup);
  const { task } = setup.dataset.search;
  const network = resolve(space, architecture);
  const trained = { info: setup.dataset.search.info, weights: all.weights, samples: all.samples };
  const {
    info,
    weights,
    samples: compared,
  } = setup.control ? policyModel(setup.control, trained.info, trained.weights) : trained;
  const own = { ...(task && { task }) };
  const text = formatArchitecture(space, architecture);
  const about = { version: netsmithVersion(), space: space.name, architecture: text, training };
  const model = sealModel(exportOnnx({ network, info, ...own, weights, about }));
  const { parity, samples } = await checkParity({ engine, network, info, weights, model, samples: compared, ...own });
  return { model, parity, samples };
}

/** The JSON beside a file, and what the file says of itself. */
export function aboutModel(
  file: string,
  model: Uint8Array,
): { readonly metadata: ModelMetadata; readonly text: string } {
  const metadata = modelMetadata(`model "${file}"`, model);
  return { metadata, text: `${JSON.stringify(modelJson(metadata, basename(file)), null, 2)}\n` };
}

/** `model.onnx` -> `model.json` */
export const besideModel = (file: string) => join(dirname(file), `${basename(file).replace(/\.onnx$/i, '')}.json`);

/** Throws UserError where `--out` cannot be written, or would overwrite what Netsmith has not written. Ask before a training. */
export function checkOut(out: string): void {
  if (!existsSync(dirname(out))) throw invalid('--out', `"${out}"`, 'the folder of the file must exist');
  checkFile(out, '--out');
  checkWritable(dirname(out));
  checkOurs(besideModel(out));
}

/** Throws UserError where the file that goes beside the model is there and is none that an export wrote. */
export function checkOurs(path: string): void {
  if (!existsSync(path)) return;
  try {
    const found = JSON.parse(readFileSync(path, 'utf8'));
    if (found?.format === MODEL_JSON_FORMAT) return;
  } catch {
    // Then Netsmith did not write it.
  }
  throw invalid(`file "${path}"`, 'was not written by netsmith export', 'give --out another name, or move it away');
}

/** Writes a model and its JSON; returns the path of the latter. */
export function writeModel(out: string, model: Uint8Array): string {
  const beside = besideModel(out);
  const { text } = aboutModel(out, model);
  writeWhole(out, model);
  writeWhole(beside, text);
  return beside;
}
