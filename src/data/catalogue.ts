/**
 * The datasets that Netsmith can open: what they are, and where the official files lie. Checksums are the published MD5s;
 * they guard against damage on the way, not against malice.
 */

/** A file to fetch. */
export interface DatasetFile {
  readonly name: string;
  /** Tried in turn. */
  readonly urls: readonly string[];
  readonly bytes: number;
  /** Hexadecimal, as published. */
  readonly md5: string;
  /** The file is a tar archive: these of its files are unpacked, it is then removed. */
  readonly unpack?: readonly string[];
}

export type DatasetOrigin =
  /** Within the package. */
  | { readonly kind: 'embedded' }
  /** A person's own file or folder. */
  | { readonly kind: 'own'; readonly path: 'file' | 'folder' }
  /** Fetched by `downloadDataset` into the folder `folder`. */
  | { readonly kind: 'download'; readonly folder: string; readonly files: readonly DatasetFile[] };

export interface DatasetEntry {
  readonly description: string;
  readonly task: 'classification' | 'classification or regression';
  readonly origin: DatasetOrigin;
}

export type DatasetName = keyof typeof DATASETS;

// Checked against torchvision's datasets/mnist.py, https://www.cs.toronto.edu/~kriz/cifar.html and the README of
// https://github.com/zalandoresearch/fashion-mnist.
export const DATASETS = {
  digits: {
    description: '1,797 handwritten digits, 8 by 8 grey pixels, 10 classes (UCI, CC BY 4.0)',
    task: 'classification',
    origin: { kind: 'embedded' },
  },
  'cifar-10': {
    description: '60,000 photographs, 32 by 32 colour pixels, 10 classes (Krizhevsky 2009)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'cifar-10-batches-bin',
      files: [
        {
          name: 'cifar-10-binary.tar.gz',
          urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
          bytes: 170_052_171,
          md5: 'c32a1d4ab5d03f1284b67883e8d87530',
          unpack: [
            'data_batch_1.bin',
            'data_batch_2.bin',
            'data_batch_3.bin',
            'data_batch_4.bin',
            'data_batch_5.bin',
            'test_batch.bin',
            'batches.meta.txt',
          ],
        },
      ],
    },
  },
  'cifar-100': {
    description: '60,000 photographs, 32 by 32 colour pixels, 100 classes (Krizhevsky 2009)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'cifar-100-binary',
      files: [
        {
          name: 'cifar-100-binary.tar.gz',
          urls: ['https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz'],
          bytes: 168_513_733,
          md5: '03b5dce01913d631647c71ecec9e9cb8',
          unpack: ['train.bin', 'test.bin', 'fine_label_names.txt'],
        },
      ],
    },
  },
  mnist: {
    description: '70,000 handwritten digits, 28 by 28 grey pixels, 10 classes (LeCun, Cortes and Burges 1998)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'mnist',
      files: idxFiles(
        ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'https://storage.googleapis.com/cvdf-datasets/mnist/'],
        [
          ['train-images-idx3-ubyte.gz', 9_912_422, 'f68b3c2dcbeaaa9fbdd348bbdeb94873'],
          ['train-labels-idx1-ubyte.gz', 28_881, 'd53e105ee54ea40749a09fcbcd1e9432'],
          ['t10k-images-idx3-ubyte.gz', 1_648_877, '9fb629c4189551a2d022fa330f9573f3'],
          ['t10k-labels-idx1-ubyte.gz', 4_542, 'ec29112dd5afa0611ce80d1b7f02629c'],
        ],
      ),
    },
  },
  'fashion-mnist': {
    description: '70,000 pictures of clothes, 28 by 28 grey pixels, 10 classes (Xiao, Rasul and Vollgraf 2017, MIT)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'fashion-mnist',
      files: idxFiles(
        [
          'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
          'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
        ],
        [
          ['train-images-idx3-ubyte.gz', 26_421_880, '8d4fb7e6c68d591d4c3dfef9ec88bf0d'],
          ['train-labels-idx1-ubyte.gz', 29_515, '25c81989df183df01b3e8a0aad5dffbe'],
          ['t10k-images-idx3-ubyte.gz', 4_422_102, 'bef4ecab320f06d8554ea6380940ec79'],
          ['t10k-labels-idx1-ubyte.gz', 5_148, 'bb300cfdad3c16e7a12a480ee83cd310'],
        ],
      ),
    },
  },
  'image-folder': {
    description: 'your own images: a folder for each class, or train / test folders of such',
    task: 'classification',
    origin: { kind: 'own', path: 'folder' },
  },
  csv: {
    description: 'your own table: a header, numeric and categorical columns, a label column',
    task: 'classification or regression',
    origin: { kind: 'own', path: 'file' },
  },
} as const satisfies Readonly<Record<string, DatasetEntry>>;

function idxFiles(
  bases: readonly string[],
  files: readonly (readonly [name: string, bytes: number, md5: string])[],
): readonly DatasetFile[] {
  return files.map(([name, bytes, md5]) => ({ name, urls: bases.map((base) => base + name), bytes, md5 }));
}
