import { createHash, type Hash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { unknownName } from '../common/closest.ts';
import { invalid, type UserError } from '../common/errors.ts';
import { deepFreeze } from '../common/json.ts';
import { factsOf, taskOf } from '../task/index.ts';
import { allocate, rowsOf } from '../task/spec.ts';
import { type DatasetName, TABLE_NAME } from './catalog.ts';
import type { DataRequest, Dataset, Samples, SearchData } from './dataset.ts';
import { openDigits } from './digits/digits.ts';
import { checkValues, type DatasetDefinition } from './own.ts';

type Reader = (request: DataRequest) => Promise<Dataset>;

/** Readers by the name of a dataset; loaded when used, so that a table needs no image library. */
const READERS = {
  digits: openDigits,
  'cifar-10': async (request) => (await import('./readers/cifar.node.ts')).openCifar10(request),
  'cifar-100': async (request) => (await import('./readers/cifar.node.ts')).openCifar100(request),
  mnist: async (request) => (await import('./readers/idx.node.ts')).openMnist(request),
  'fashion-mnist': async (request) => (await import('./readers/idx.node.ts')).openFashionMnist(request),
  'image-folder': async (request) => (await import('./readers/image-folder.node.ts')).openImageFolder(request),
  text: async (request) => (await import('./readers/text.node.ts')).openText(request),
  'text-folder': async (request) => (await import('./readers/text-folder.node.ts')).openTextFolder(request),
  csv: async (request) =>
    request.text === undefined
      ? (await import('./readers/csv.node.ts')).openCsv(request)
      : (await import('./readers/csv-text.node.ts')).openCsvText(request),
} as const satisfies Readonly<Record<DatasetName, Reader>>;

/** Options that only some datasets have a use for. */
const USED_BY: Readonly<Record<string, readonly DatasetName[]>> = {
  label: ['csv'],
  regression: ['csv'],
  imageSize: ['image-folder'],
  imageChannels: ['image-folder'],
  exclude: ['image-folder', 'text-folder', 'csv'],
  validFile: ['csv'],
  testFile: ['csv'],
  text: ['csv'],
  tokens: ['text', 'text-folder', 'csv'],
  vocabulary: ['text', 'text-folder', 'csv'],
  textLength: ['text', 'text-folder', 'csv'],
};

/**
 * Reads a dataset and divides it: see DataRequest for what can be asked and DatasetInfo for what comes. Bytes of a known
 * format are checked as they are read. Throws UserError that names the file, the offset or line, the rule and the value.
 */
export async function openDataset(request: DataRequest): Promise<Dataset> {
  const reader: Reader | undefined = Object.hasOwn(READERS, request.name)
    ? READERS[request.name as keyof typeof READERS]
    : undefined;
  if (!reader) throw unknownDataset(request.name);
  checkUsed(request);
  if (request.name === 'digits' && request.dir !== undefined)
    throw invalid(
      'data "digits"',
      `dir is "${request.dir}"`,
      'the bundled dataset has no folder; for your own images use --data image-folder',
    );
  const dataset = await reader(request);
  return dataset.search.info.checksums === undefined ? withChecksums(dataset) : dataset;
}

/** A common slip is the path of the data in place of its format. */
function unknownDataset(name: string): UserError {
  // What is no path at all is no folder either.
  const found = existsSync(name) ? statSync(name, { throwIfNoEntry: false }) : undefined;
  const format = found?.isDirectory() ? 'image-folder' : found && TABLE_NAME.test(name) ? 'csv' : undefined;
  if (format === undefined) return unknownName('data: unknown dataset', name, Object.keys(READERS));
  const kind = format === 'csv' ? 'file' : 'folder';
  return invalid(`data: unknown dataset "${name}"`, `it is a ${kind} here`, `use --data ${format} --data-dir ${name}`);
}

/** Throws UserError for an option that the dataset has no use for. */
function checkUsed(request: DataRequest): void {
  for (const [option, names] of Object.entries(USED_BY)) {
    if (request[option as keyof DataRequest] === undefined || names.some((name) => name === request.name)) continue;
    // As the setting is called.
    const name = option.replace(/File$/, 'Data');
    throw invalid(`data "${request.name}"`, `${name} is given`, `it only applies to ${names.join(', ')}`);
  }
  const ofTexts = (['tokens', 'vocabulary', 'textLength'] as const).find((option) => request[option] !== undefined);
  if (request.name === 'csv' && request.text === undefined && ofTexts !== undefined)
    throw invalid('data "csv"', `${ofTexts} is given`, 'it only applies to texts: name their column with --text');
}

/**
 * Opens a data set of the user's own, and reads all of it once, for its checksums and to check its values. `request.name` is for
 * error messages. Throws UserError, with the part and the tensor, for a value that no sample may have.
 */
export async function openOwnDataset({ open }: DatasetDefinition, request: DataRequest): Promise<Dataset> {
  checkUsed(request);
  const dataset = await open(request);
  // The process that started this one has just read everything.
  return request.checked ? dataset : withChecksums(dataset, true);
}

/** Samples that are hashed at once. */
const CHUNK = 256;

/** Adds checksums of all samples as they are read, where a reader has none of its files. Nothing else of the test split is kept. */
async function withChecksums(dataset: Dataset, isOwn = false): Promise<Dataset> {
  const { info, train, valid } = dataset.search;
  const placeOf = (part: string) => (isOwn ? `data set "${info.name}", ${part} samples` : undefined);
  const search = createHash('sha256');
  await addSamples(search, train, dataset.search, placeOf('training'));
  await addSamples(search, valid, dataset.search, placeOf('validation'));
  const test = createHash('sha256');
  await addSamples(test, await dataset.openTest(), dataset.search, placeOf('test'));
  const checksums = { search: search.digest('hex'), test: test.digest('hex') };
  return { ...dataset, search: { ...dataset.search, info: deepFreeze({ ...info, checksums }) } };
}

/** With a place, throws UserError for a value that no sample may have. */
async function addSamples(
  hash: Hash,
  samples: Samples,
  { info, task }: SearchData,
  place: string | undefined,
): Promise<void> {
  const { inputs, targets } = taskOf(info, task).spec(info);
  const classes = factsOf(info).classes ? info.outputs : undefined;
  const specs = { ...inputs, ...targets };
  hash.update(`${samples.count} `);
  const into = allocate(specs, CHUNK);
  for (let start = 0; start < samples.count; start += CHUNK) {
    const count = Math.min(CHUNK, samples.count - start);
    await samples.read(
      Array.from({ length: count }, (_, k) => start + k),
      into,
    );
    const rows = rowsOf(into, specs, 0, count);
    if (place !== undefined) checkValues(place, rows, specs, classes);
    for (const values of Object.values(rows)) hash.update(values);
  }
}
