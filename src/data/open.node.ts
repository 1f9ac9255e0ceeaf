import { unknownName } from '../common/closest.ts';
import { invalid } from '../common/errors.ts';
import type { DatasetName } from './catalogue.ts';
import type { DataRequest, Dataset } from './dataset.ts';
import { openDigits } from './digits/digits.ts';

type Reader = (request: DataRequest) => Promise<Dataset>;

/** Readers by the name of a dataset; loaded when used, so that a table needs no image library. */
const READERS = {
  digits: openDigits,
  'cifar-10': async (request) => (await import('./readers/cifar.node.ts')).openCifar10(request),
  'cifar-100': async (request) => (await import('./readers/cifar.node.ts')).openCifar100(request),
  mnist: async (request) => (await import('./readers/idx.node.ts')).openMnist(request),
  'fashion-mnist': async (request) => (await import('./readers/idx.node.ts')).openFashionMnist(request),
  'image-folder': async (request) => (await import('./readers/image-folder.node.ts')).openImageFolder(request),
  csv: async (request) => (await import('./readers/csv.node.ts')).openCsv(request),
} as const satisfies Readonly<Record<DatasetName, Reader>>;

/** Options that only some datasets have a use for. */
const USED_BY: Readonly<Record<string, readonly DatasetName[]>> = {
  label: ['csv'],
  regression: ['csv'],
  imageSize: ['image-folder'],
  imageChannels: ['image-folder'],
};

/**
 * Reads a dataset and divides it: see DataRequest for what can be asked and DatasetInfo for what comes. Bytes of a known
 * format are checked as they are read. Throws UserError that names the file, the offset or line, the rule and the value.
 */
export async function openDataset(request: DataRequest): Promise<Dataset> {
  const reader: Reader | undefined = Object.hasOwn(READERS, request.name)
    ? READERS[request.name as keyof typeof READERS]
    : undefined;
  if (!reader) throw unknownName('data: there is no', request.name, Object.keys(READERS));
  for (const [option, names] of Object.entries(USED_BY)) {
    if (request[option as keyof DataRequest] === undefined || names.some((name) => name === request.name)) continue;
    throw invalid(`data "${request.name}"`, `${option} is given`, `only ${names.join(', ')} has a use for it`);
  }
  if (request.name === 'digits' && request.dir !== undefined)
    throw invalid('data "digits"', `dir is "${request.dir}"`, 'these images are embedded and have no folder');
  return reader(request);
}
