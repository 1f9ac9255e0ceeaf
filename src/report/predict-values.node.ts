import { readFile, stat } from 'node:fs/promises';
import { invalid, messageOf } from '../common/errors.ts';
import { type Json, parseJson } from '../common/json.ts';
import { sizeOf } from '../graph/ir.ts';
import { type Arrays, allocate, type TensorSpec, type TensorSpecs } from '../task/spec.ts';
import { type Named, namedFiles } from './predict-files.node.ts';

/** Names of files with raw values. */
export const VALUES_NAME = /\.json$/i;
/** What is read at most; a larger text takes more memory than a prediction should. */
const MAX_BYTES = 2 ** 28;

/** A sample's raw values by input name, or why there are none. */
export interface ValueSample {
  readonly from: { readonly file: string; readonly row?: number };
  readonly read: Arrays | string;
}

/**
 * The samples of JSON files: an object with the values of each input, nested or flat, `{ "tokens": [0, 2, 1] }`, or a list of such
 * objects (`row` counts them from 1).
 */
export async function* valueSamples(names: readonly string[], inputs: TensorSpecs): AsyncGenerator<ValueSample> {
  for await (const named of namedFiles(names, VALUES_NAME)) {
    const { file } = named;
    const found = await jsonOf(named);
    if (typeof found === 'string') yield { from: { file }, read: found };
    else if (!Array.isArray(found.json)) yield { from: { file }, read: sampleOf(found.json, inputs) };
    else for (const [i, one] of found.json.entries()) yield { from: { file, row: i + 1 }, read: sampleOf(one, inputs) };
  }
}

async function jsonOf(named: Named): Promise<{ readonly json: Json } | string> {
  if ('error' in named) return named.error;
  try {
    const { size } = await stat(named.file);
    if (size > MAX_BYTES) return 'it is larger than 256 MiB';
    return { json: parseJson(await readFile(named.file, 'utf8'), 'its content') };
  } catch (error) {
    return messageOf(error);
  }
}

function sampleOf(json: Json, specs: TensorSpecs): Arrays | string {
  try {
    const names = Object.keys(specs);
    const given = json !== null && typeof json === 'object' && !Array.isArray(json) ? Object.keys(json) : undefined;
    const rule = `must be an object with the values of ${names.join(', ')}`;
    if (given === undefined) throw invalid('a sample', JSON.stringify(json)?.slice(0, 40) ?? '', rule);
    const wrong = given.find((name) => !names.includes(name)) ?? names.find((name) => !given.includes(name));
    if (wrong !== undefined)
      throw invalid('a sample', `"${wrong}" is ${given.includes(wrong) ? 'unknown' : 'missing'}`, rule);
    const arrays = allocate(specs, 1);
    for (const [name, spec] of Object.entries(specs))
      arrays[name]?.set(valuesOf(name, spec, Reflect.get(Object(json), name)));
    return arrays;
  } catch (error) {
    return messageOf(error);
  }
}

/** Nested lists of numbers, row-major, as one list. Throws UserError for other values than a sample has. */
function valuesOf(name: string, { shape, dtype, values: below }: TensorSpec, json: Json): readonly number[] {
  const flat = Array.isArray(json) ? json.flat(Number.POSITIVE_INFINITY) : [json];
  const size = sizeOf(shape);
  const refuse = (found: string, rule: string) => invalid(`"${name}"`, found, rule);
  if (flat.length !== size) throw refuse(`${flat.length} values`, `must have ${size}: [${shape.join(', ')}]`);
  return flat.map((value: unknown) => {
    const fits =
      typeof value === 'number' &&
      Number.isFinite(Math.fround(value)) &&
      (dtype === 'float32' || (Number.isInteger(value) && value >= 0 && value < (below ?? 2 ** 31)));
    if (fits) return value;
    const rule = dtype === 'float32' ? 'must be numbers' : `must be whole numbers from 0 to ${(below ?? 2 ** 31) - 1}`;
    throw refuse(JSON.stringify(value) ?? 'nothing', rule);
  });
}
