import { createHash } from 'node:crypto';
import { join, sep } from 'node:path';
import { invalid } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { assemble } from '../assemble.ts';
import { inClassOrder } from '../class-names.ts';
import type { Checksums, DataRequest, Dataset } from '../dataset.ts';
import { divide, type Parts, thousands } from '../split.ts';
import { existing } from './files.node.ts';
import { imageSource } from './image.node.ts';
import { type CheckedImage, checkImages } from './image-check.node.ts';
import { chooseDecoder, SAMPLE, survey } from './image-survey.node.ts';
import { partsAmong, type Role, roleOf, type TopFolder } from './parts.ts';
import { byName, type Folder, foldersIn, imagesBelow, type Tally, unreadNotes } from './walk.node.ts';

/** Image files and the class number of each. */
interface Listing {
  readonly files: readonly string[];
  /** Their paths within the data's folder, by which they are known whatever the system: with `/`, in Unicode's form NFC. */
  readonly names: readonly string[];
  readonly targets: Float32Array;
}

/**
 * A folder for each class, images of any size within (also deeper); or a folder for each part (train, valid, test, by whatever
 * name and in any case) with class folders. Images are decoded when they are read; see decodeImage for how.
 * Throws UserError for fewer than 2 classes, a class with too few images, a class that the training part does not have,
 * folders that may be parts or classes, and files that are no image or cannot be read, all of them by name.
 */
export async function openImageFolder(request: DataRequest): Promise<Dataset> {
  const dir = await existing('image-folder', request.dir, 'folder');
  const place = `image-folder "${printable(dir)}"`;
  const unread: Tally = new Map();
  const exclude = new Set((request.exclude ?? []).map(nameOf));
  const { own, top, notes: ofParts } = await layout(place, dir, unread);
  const train = own.train ?? '';
  const folders = train === '' ? top : await foldersIn(join(dir, train), unread);
  const labels = classesOf(train === '' ? place : `image-folder "${printable(join(dir, train))}"`, folders, top);
  const list = (inner: string) => listing(dir, inner, labels, exclude, unread);

  const pool = await list(train);
  const empty = labels.find((_, k) => !pool.targets.includes(k));
  if (empty !== undefined) {
    const found = `the class folder "${printable(empty)}" has no images`;
    throw invalid(
      place,
      [found, ...unreadNotes(unread)].join('; ').replace(/\.$/, ''),
      'every class needs at least one image',
    );
  }
  const [valid, test] = [own.valid && (await list(own.valid)), own.test && (await list(own.test))].map(
    (one) => one || undefined,
  );
  for (const [inner, one] of [
    [own.valid, valid],
    [own.test, test],
  ] as const) {
    if (inner !== undefined && one !== undefined) await checkPart(join(dir, inner), one, labels);
  }
  checkExcluded(place, exclude, [pool, valid, test]);
  const divided = divide(
    {
      place,
      count: pool.files.length,
      classes: { of: pool.targets, names: labels },
      ownTest: test !== undefined,
      ownValid: valid !== undefined,
    },
    request,
  );
  const kept = (indices: Int32Array) => indices.filter((i) => !exclude.has(pool.names[i] as string));
  const parts: Parts = {
    train: kept(divided.train),
    valid: kept(divided.valid),
    test: kept(divided.test),
    notes: divided.notes,
  };
  if (parts.train.length === 0) throw invalid(place, 'all training images are excluded', 'at least one is needed');
  const used = {
    train: some(pool, parts.train),
    valid: valid ? without(valid, exclude) : some(pool, parts.valid),
    test: test ? without(test, exclude) : some(pool, parts.test),
  };

  const all = [...used.train.files, ...used.valid.files, ...used.test.files];
  const checked = await checkImages(place, all, request.checked !== true);
  const { decoder, decoding, notes } = await chooseDecoder(place, used.train.files, checked, request);
  if (request.checked !== true) notes.push(...(await survey(place, all, used.train.files.length, checked, decoder)));
  const source = ({ files, targets }: Listing) => imageSource(files, targets, decoder);
  const ownTest = test && { count: used.test.files.length, open: async () => source(used.test) };
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
        checksums: checksumsOf(
          [pool, valid, test],
          checked,
          [used.train, used.valid, used.test],
          request.checked === true,
        ),
      },
      pool: source(pool),
      valid: valid && source(used.valid),
      test: ownTest,
      statisticsFrom: SAMPLE,
      notes: [
        `${thousands(pool.files.length)} images in ${labels.length} class folders${train === '' ? '' : ` of "${printable(train)}"`}.`,
        ...(own.valid && valid
          ? [`${thousands(valid.files.length)} validation images in the folder "${printable(own.valid)}".`]
          : []),
        ...(own.test && test
          ? [`${thousands(test.files.length)} test images in the folder "${printable(own.test)}".`]
          : []),
        ...(exclude.size > 0 ? [`${thousands(exclude.size)} of the files are excluded.`] : []),
        ...ofParts,
        ...missingClasses('validation', valid, labels),
        ...missingClasses('test', test, labels),
        ...unreadNotes(unread),
        ...notes,
      ],
    },
    parts,
    request,
  );
}

/** Which folders at the top are parts; none are where the folders are classes. */
async function layout(
  place: string,
  dir: string,
  unread: Tally,
): Promise<{ own: Partial<Record<Role, string>>; top: Folder[]; notes: string[] }> {
  const top = await foldersIn(dir, unread);
  const looked = [];
  for (const { name } of top) {
    const beside: Tally = new Map();
    const inner = (await foldersIn(join(dir, name), beside)).map(({ label }) => label).sort();
    looked.push({ name, inner, images: beside.has('an image outside the class folders') });
  }
  const own = partsAmong(place, looked);
  if (own === undefined) {
    const inner = [...new Set(looked.flatMap((one) => one.inner))];
    const alike = inner.length > 0 && inner.every((name) => roleOf(name) !== undefined);
    const called = inner.map((name) => `"${printable(name)}"`).join(', ');
    const note = `The folders ${called} within class folders are not treated as splits; all images are split together.`;
    const trains = top.filter(({ name }) => roleOf(name) !== undefined);
    return {
      own: {},
      top,
      notes: [
        ...(alike ? [note] : []),
        ...trains.map(({ name }) => `The folder "${printable(name)}" is treated as a class.`),
      ],
    };
  }
  const found: Partial<Record<Role, string>> = { train: withinItself(own.train ?? '', looked) };
  const notes: string[] = [];
  for (const role of ['valid', 'test'] as const) {
    const name = own[role];
    const one = looked.find((folder) => folder.name === name);
    if (name === undefined || one === undefined) continue;
    if (one.images && one.inner.length === 0) {
      notes.push(
        `The images in "${printable(name)}" are not used: they are not in class folders, so they have no labels.`,
      );
    } else found[role] = withinItself(name, looked);
  }
  return { own: found, top, notes };
}

/** The path of a part; an archive often has one more folder of the same part in it: `seg_train/seg_train`. */
function withinItself(name: string, looked: readonly TopFolder[]): string {
  const [inner, ...others] = looked.find((folder) => folder.name === name)?.inner ?? [];
  const again = inner !== undefined && others.length === 0 && roleOf(inner) === roleOf(name);
  return again ? `${name}/${inner}` : name;
}

/** The class names in the order of their numbers. */
function classesOf(place: string, folders: readonly Folder[], top: readonly Folder[]): readonly string[] {
  const labels = folders.map(({ label }) => label);
  const twice = labels.find((label, k) => labels.indexOf(label) < k);
  if (twice !== undefined) {
    const found = `two folders have the same name "${printable(twice)}" in different Unicode forms`;
    throw invalid(place, found, 'each class must have exactly one folder');
  }
  if (labels.length < 2) {
    const inside =
      top.length === 1 && folders === top ? ` (or name the folder "${printable(labels[0] ?? '')}" in it)` : '';
    const count = `${labels.length} class folder${labels.length === 1 ? '' : 's'}`;
    throw invalid(place, count, `at least 2 are needed, each named after its class${inside}`);
  }
  return inClassOrder(labels);
}

/**
 * All images of the class folders below `dir/inner`, in a fixed order. Excluded files have their place in it whether they exist
 * or not, so that how the others are divided does not change.
 */
async function listing(
  dir: string,
  inner: string,
  labels: readonly string[],
  exclude: ReadonlySet<string>,
  unread: Tally,
): Promise<Listing> {
  const files: string[] = [];
  const names: string[] = [];
  const targets: number[] = [];
  const folders = await foldersIn(join(dir, inner), new Map());
  for (const [number, label] of labels.entries()) {
    const folder = folders.find((one) => one.label === label)?.name;
    if (folder === undefined) continue;
    const root = inner === '' ? folder : `${inner}/${folder}`;
    const found = await imagesBelow(join(dir, root), unread);
    const known = new Set(found.map(nameOf));
    const gone = [...exclude].flatMap((name) => {
      const within = name.startsWith(`${nameOf(root)}/`) ? name.slice(nameOf(root).length + 1) : '';
      return within !== '' && !known.has(within) ? within : [];
    });
    for (const name of [...found, ...gone].sort(byName)) {
      files.push(join(dir, root, name));
      names.push(nameOf(`${root}/${name}`));
      targets.push(number);
    }
  }
  return { files, names, targets: Float32Array.from(targets) };
}

/** A path within the folder in the form by which files are known. */
function nameOf(path: string): string {
  const slashed = sep === '/' ? path : path.replaceAll(sep, '/');
  return slashed.normalize('NFC').replace(/^(\.\/)+/, '');
}

function some({ files, names, targets }: Listing, indices: ArrayLike<number>): Listing {
  const chosen = Array.from(indices);
  return {
    files: chosen.map((i) => files[i] as string),
    names: chosen.map((i) => names[i] as string),
    targets: Float32Array.from(chosen, (i) => targets[i] ?? Number.NaN),
  };
}

function without(list: Listing, exclude: ReadonlySet<string>): Listing {
  return some(
    list,
    list.names.flatMap((name, i) => (exclude.has(name) ? [] : i)),
  );
}

/** A part in its own folder has images, and no class that the training part has not. */
async function checkPart(root: string, part: Listing, labels: readonly string[]): Promise<void> {
  const place = `image-folder "${printable(root)}"`;
  const unknown = (await foldersIn(root, new Map())).find(({ label }) => !labels.includes(label));
  if (unknown !== undefined) {
    const classes = printable(labels.join(', '));
    throw invalid(place, `there is a class folder "${printable(unknown.name)}"`, `the training classes are ${classes}`);
  }
  if (part.files.length === 0)
    throw invalid(place, 'no images found', 'the folder must contain class folders with images');
}

function checkExcluded(place: string, exclude: ReadonlySet<string>, listings: readonly (Listing | undefined)[]): void {
  const known = new Set(listings.flatMap((one) => one?.names ?? []));
  const unknown = [...exclude].find((name) => !known.has(name));
  if (unknown === undefined) return;
  const example = listings[0]?.names[0] ?? '';
  throw invalid(
    place,
    `excluded file "${printable(unknown)}" not found`,
    `it must be the path of a file within a class folder, such as "${printable(example)}"`,
  );
}

function missingClasses(part: string, listing: Listing | undefined, labels: readonly string[]): string[] {
  const missing = listing ? labels.filter((_, k) => !listing.targets.includes(k)) : [];
  return missing.length === 0 ? [] : [`There are no ${part} images for the class ${printable(missing.join(', '))}.`];
}

/** Names of all files there are or were; contents of those that are used, in the order in which they are checked. */
function checksumsOf(
  listings: readonly (Listing | undefined)[],
  checked: readonly CheckedImage[],
  [train, valid, test]: readonly [Listing, Listing, Listing],
  namesOnly: boolean,
): Checksums {
  const files = createHash('sha256');
  for (const listing of listings) files.update(`${listing?.names.join('\0') ?? ''}\0\0`);
  if (namesOnly) return { files: files.digest('hex') };
  let next = 0;
  const add = (hash: ReturnType<typeof createHash>, { names, targets }: Listing) => {
    names.forEach((name, i) => {
      hash.update(`${name}\0${targets[i]}\0`).update(checked[next++]?.hash ?? '');
    });
    return hash;
  };
  const search = add(add(createHash('sha256'), train).update('\0'), valid).digest('hex');
  return { files: files.digest('hex'), search, test: add(createHash('sha256'), test).digest('hex') };
}
