import { assemble } from '../assemble.ts';
import { IMAGE_NAME } from '../catalog.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { checksumsOf, classFolders, type Listing } from './class-folders.node.ts';
import { imageSource } from './image.node.ts';
import { checkImages } from './image-check.node.ts';
import { chooseDecoder, SAMPLE, survey } from './image-survey.node.ts';
import type { FileKind } from './walk.node.ts';

const IMAGES: FileKind = { data: 'image-folder', one: 'image', a: 'an image', many: 'images', name: IMAGE_NAME };

/**
 * Class folders of images of any size, with or without folders for the parts: `classFolders`. Images are decoded when they are read; see
 * decodeImage for how. Throws UserError, with the names, for files that are no image or cannot be read, too.
 */
export async function openImageFolder(request: DataRequest): Promise<Dataset> {
  const found = await classFolders(IMAGES, request);
  const { place, labels, parts, used } = found;
  const { pool, valid, test } = found.listings;
  const all = [...used.train.files, ...used.valid.files, ...used.test.files];
  const checked = await checkImages(place, all, request.checked !== true);
  const { decoder, decoding, notes } = await chooseDecoder(place, used.train.files, checked, request);
  if (request.checked !== true) notes.push(...(await survey(place, all, used.train.files.length, checked, decoder)));
  const source = ({ files, targets }: Listing) => imageSource(files, targets, decoder);
  const ownTest = test && { count: used.test.files.length, open: async () => source(used.test) };
  const hashes = checked.map(({ hash }) => hash);
  return assemble(
    {
      info: {
        name: 'image-folder',
        kind: 'classification',
        input: decoder.shape,
        outputs: labels.length,
        labels,
        range: [0, 255],
        ...(decoding && { decoding }),
        checksums: checksumsOf(found, hashes, request.checked === true),
      },
      pool: source(pool),
      valid: valid && source(used.valid),
      test: ownTest,
      statisticsFrom: SAMPLE,
      notes: [...found.notes, ...notes],
    },
    parts,
    request,
  );
}
