/** The datasets that Netsmith can open: what they are, and where the official files lie. */
import type { TaskKind } from '../task/index.ts';

/** A file to fetch. */
export interface DatasetFile {
  readonly name: string;
  /** Tried in turn; https alone. */
  readonly urls: readonly string[];
  readonly bytes: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
  /** The file is a tar archive: these of its files are unpacked, it is then removed. */
  readonly unpack?: readonly string[];
}

export type DatasetOrigin =
  /** Within the package. */
  | { readonly kind: 'embedded' }
  /** The user's own file or folder. */
  | { readonly kind: 'own'; readonly path: 'file' | 'folder' | 'file or folder' }
  /** Fetched by `downloadDataset` into the folder `folder`. */
  | { readonly kind: 'download'; readonly folder: string; readonly files: readonly DatasetFile[] };

export interface DatasetEntry {
  readonly description: string;
  readonly task: TaskKind | 'classification or regression';
  readonly origin: DatasetOrigin;
}

/**
 * `characters`: each code point. `bytes`: those of UTF-8, 256 in all. `words`: words, numbers and single signs, and the end of a line as
 * `<eos>`. `bpe`: byte-pair encoding, whole words and parts of words.
 */
export const TOKEN_KINDS = ['characters', 'bytes', 'words', 'bpe'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** Names of files that are taken for images; of which format they are, their first bytes say. */
export const IMAGE_NAME = /\.(a?png|jpe?g|jpe|jfif|pjpe?g|webp|gif|tiff?|avif|bmp|dib)$/i;

/** Names of tables. */
export const TABLE_NAME = /\.(csv|tsv)(\.gz)?$/i;

/** Names of text files. */
export const TEXT_NAME = /\.(txt|text)(\.gz)?$/i;

export type DatasetName = keyof typeof DATASETS;

// The authors publish MD5s at most. Sizes and SHA-256 sums are those that TensorFlow Datasets checks for the same files: of
// https://github.com/tensorflow/datasets tensorflow_datasets/url_checksums/{cifar10,cifar100,mnist,fashion_mnist}.txt
// (commits 333639b and, for mnist, 31f1255).
export const DATASETS = {
  digits: {
    description: '1,797 handwritten digits, 8x8 pixels, grayscale, 10 classes (UCI, CC BY 4.0)',
    task: 'classification',
    origin: { kind: 'embedded' },
  },
  'cifar-10': {
    description: '60,000 photographs, 32x32 pixels, color, 10 classes (Krizhevsky 2009)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'cifar-10-batches-bin',
      files: [
        {
          name: 'cifar-10-binary.tar.gz',
          urls: ['https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz'],
          bytes: 170_052_171,
          sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
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
    description: '60,000 photographs, 32x32 pixels, color, 100 classes (Krizhevsky 2009)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'cifar-100-binary',
      files: [
        {
          name: 'cifar-100-binary.tar.gz',
          urls: ['https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz'],
          bytes: 168_513_733,
          sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
          unpack: ['train.bin', 'test.bin', 'fine_label_names.txt'],
        },
      ],
    },
  },
  mnist: {
    description: '70,000 handwritten digits, 28x28 pixels, grayscale, 10 classes (LeCun, Cortes and Burges 1998)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'mnist',
      files: idxFiles(
        ['https://ossci-datasets.s3.amazonaws.com/mnist/', 'https://storage.googleapis.com/cvdf-datasets/mnist/'],
        [
          ['train-images-idx3-ubyte.gz', 9_912_422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'],
          ['train-labels-idx1-ubyte.gz', 28_881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'],
          ['t10k-images-idx3-ubyte.gz', 1_648_877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'],
          ['t10k-labels-idx1-ubyte.gz', 4_542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'],
        ],
      ),
    },
  },
  'fashion-mnist': {
    description: '70,000 pictures of clothes, 28x28 pixels, grayscale, 10 classes (Xiao, Rasul and Vollgraf 2017, MIT)',
    task: 'classification',
    origin: {
      kind: 'download',
      folder: 'fashion-mnist',
      files: idxFiles(
        [
          'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
          'https://storage.googleapis.com/tensorflow/tf-keras-datasets/',
        ],
        [
          [
            'train-images-idx3-ubyte.gz',
            26_421_880,
            '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
          ],
          ['train-labels-idx1-ubyte.gz', 29_515, 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'],
          ['t10k-images-idx3-ubyte.gz', 4_422_102, '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'],
          ['t10k-labels-idx1-ubyte.gz', 5_148, '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'],
        ],
      ),
    },
  },
  'image-folder': {
    description: 'your own images: one folder per class, or train and test folders that contain them',
    task: 'classification',
    origin: { kind: 'own', path: 'folder' },
  },
  text: {
    description: 'your own text to continue: a text file, or a folder of them',
    task: 'language-model',
    origin: { kind: 'own', path: 'file or folder' },
  },
  'text-folder': {
    description: 'your own texts: one folder of .txt files per class, or train and test folders that contain them',
    task: 'text',
    origin: { kind: 'own', path: 'folder' },
  },
  csv: {
    description:
      'your own table: a header line, numeric and categorical columns or a column of texts, and a label column',
    task: 'classification or regression',
    origin: { kind: 'own', path: 'file' },
  },
} as const satisfies Readonly<Record<string, DatasetEntry>>;

function idxFiles(
  bases: readonly string[],
  files: readonly (readonly [name: string, bytes: number, sha256: string])[],
): readonly DatasetFile[] {
  return files.map(([name, bytes, sha256]) => ({ name, urls: bases.map((base) => base + name), bytes, sha256 }));
}
