/** Folders of files, one for each class: what images and texts share. */
import { createHash } from 'node:crypto';
import { join, sep } from 'node:path';
import { invalid } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';
import { inClassOrder } from '../class-names.ts';
import type { Checksums, DataRequest } from '../dataset.ts';
import { divide, type Parts, thousands } from '../split.ts';
import { existing } from './files.node.ts';
import { partsAmong, type Role, roleOf, type TopFolder } from './parts.ts';
import {
  byName,
  type FileKind,
  type Folder,
  filesBelow,
  foldersIn,
  outside,
  type Tally,
  unreadNotes,
} from './walk.node.ts';

/** Files and the class number of each. */
export interface Listing {
  readonly files: readonly string[];
  /** Their paths within the data's folder, by which they are known whatever the system: with `/`, in Unicode's form NFC. */
  readonly names: readonly string[];
  readonly targets: Float32Array;
}

export interface ClassFolders {
  /** For error messages: `image-folder "photos"`. */
  readonly place: string;
  /** Names of the classes, in the order of their numbers. */
  readonly labels: readonly string[];
  /** All files, excluded ones too. `pool` is divided into parts; `valid` and `test` have folders of their own. */
  readonly listings: {
    readonly pool: Listing;
    readonly valid: Listing | undefined;
    readonly test: Listing | undefined;
  };
  /** How the pool is divided, without excluded files. */
  readonly parts: Parts;
  /** The files of each part that are read. */
  readonly used: { readonly train: Listing; readonly valid: Listing; readonly test: Listing };
  readonly notes: readonly string[];
}

/**
 * A folder for each class, files of one kind within (also deeper); or a folder for each part (train, valid, test, by whatever
 * name and in any case) with class folders. No file is opened.
 * Throws UserError for fewer than 2 classes, a class with too few files, a class that the training part does not have,
 * and folders that may be parts or classes, all of them by name.
 */
export async function classFolders(kind: FileKind, request: DataRequest): Promise<ClassFolders> {
  const { data, one: single, many } = kind;
  const dir = await existing(data, request.dir, 'folder');
  const place = `${data} "${printable(dir)}"`;
  const unread: Tally = new Map();
  const exclude = new Set((request.exclude ?? []).map(nameOf));
  const isUnlabeled = request.unlabeled === true;
  const { own, top, notes: ofParts } = await (isUnlabeled ? partFolders(kind, dir) : layout(kind, place, dir, unread));
  const train = own.train ?? '';
  const classes = async () => {
    const folders = train === '' ? top : await foldersIn(join(dir, train), unread, kind);
    return classesOf(train === '' ? place : `${data} "${printable(join(dir, train))}"`, folders, top);
  };
  const labels = isUnlabeled ? [single] : await classes();
  const list = (inner: string) => listing(kind, dir, inner, isUnlabeled ? undefined : labels, exclude, unread);

  const pool = await list(train);
  const empty = labels.find((_, k) => !pool.targets.includes(k));
  if (empty !== undefined) {
    const found = isUnlabeled ? `it has no ${many}` : `the class folder "${printable(empty)}" has no ${many}`;
    throw invalid(
      place,
      [found, ...unreadNotes(unread)].join('; ').replace(/\.$/, ''),
      isUnlabeled ? `at least one ${single} is needed` : `every class needs at least one ${single}`,
    );
  }
  const [valid, test] = [own.valid && (await list(own.valid)), own.test && (await list(own.test))].map(
    (found) => found || undefined,
  );
  for (const [inner, found] of [
    [own.valid, valid],
    [own.test, test],
  ] as const) {
    if (inner !== undefined && found !== undefined)
      await checkPart(kind, join(dir, inner), found, isUnlabeled ? undefined : labels);
  }
  checkExcluded(place, exclude, [pool, valid, test]);
  const divided = divide(
    {
      place,
      count: pool.files.length,
      ...(!isUnlabeled && { classes: { of: pool.targets, names: labels } }),
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
  if (parts.train.length === 0) throw invalid(place, `all training ${many} are excluded`, 'at least one is needed');
  const counted = (found: Listing, part: string, folder: string) =>
    `${thousands(found.files.length)} ${part} ${many} in the folder "${printable(folder)}".`;
  return {
    place,
    labels,
    listings: { pool, valid, test },
    parts,
    used: {
      train: some(pool, parts.train),
      valid: valid ? without(valid, exclude) : some(pool, parts.valid),
      test: test ? without(test, exclude) : some(pool, parts.test),
    },
    notes: [
      `${thousands(pool.files.length)} ${many}${isUnlabeled ? ', without labels' : ` in ${labels.length} class folders`}${train === '' ? '' : ` of "${printable(train)}"`}.`,
      ...(own.valid && valid ? [counted(valid, 'validation', own.valid)] : []),
      ...(own.test && test ? [counted(test, 'test', own.test)] : []),
      ...(exclude.size > 0 ? [`${thousands(exclude.size)} of the files are excluded.`] : []),
      ...ofParts,
      ...missingClasses(many, 'validation', valid, labels),
      ...missingClasses(many, 'test', test, labels),
      ...unreadNotes(unread),
    ],
  };
}

/** Which folders at the top are parts; none are where the folders are classes. */
async function layout(
  kind: FileKind,
  place: string,
  dir: string,
  unread: Tally,
): Promise<{ own: Partial<Record<Role, string>>; top: Folder[]; notes: string[] }> {
  const top = await foldersIn(dir, unread, kind);
  const looked = [];
  for (const { name } of top) {
    const beside: Tally = new Map();
    const inner = (await foldersIn(join(dir, name), beside, kind)).map(({ label }) => label).sort();
    looked.push({ name, inner, files: beside.has(outside(kind)) });
  }
  const own = partsAmong(place, looked);
  if (own === undefined) {
    const inner = [...new Set(looked.flatMap((one) => one.inner))];
    const alike = inner.length > 0 && inner.every((name) => roleOf(name) !== undefined);
    const called = inner.map((name) => `"${printable(name)}"`).join(', ');
    const note = `The folders ${called} within class folders are not treated as splits; all ${kind.many} are split together.`;
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
    if (one.files && one.inner.length === 0) {
      notes.push(
        `The ${kind.many} in "${printable(name)}" are not used: they are not in class folders, so they have no labels.`,
      );
    } else found[role] = withinItself(name, looked);
  }
  return { own: found, top, notes };
}

/** The parts of files without labels: the folders at the top, where each is named like one and one of them is for training. */
async function partFolders(
  kind: FileKind,
  dir: string,
): Promise<{ own: Partial<Record<Role, string>>; top: Folder[]; notes: string[] }> {
  const beside: Tally = new Map();
  const top = await foldersIn(dir, beside, kind);
  const roles = top.map(({ name }) => [roleOf(name), name] as const);
  const areParts = !beside.has(outside(kind)) && new Set(roles.map(([role]) => role)).size === roles.length;
  const isDivided = areParts && roles.every(([role]) => role !== undefined) && roles.some(([role]) => role === 'train');
  return { own: isDivided ? Object.fromEntries(roles) : {}, top, notes: [] };
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
 * All files of the class folders below `dir/inner`, in a fixed order; without `labels` all files below it. Excluded files have their place
 * in it whether they exist or not, so that how the others are divided does not change.
 */
async function listing(
  kind: FileKind,
  dir: string,
  inner: string,
  labels: readonly string[] | undefined,
  exclude: ReadonlySet<string>,
  unread: Tally,
): Promise<Listing> {
  const files: string[] = [];
  const names: string[] = [];
  const targets: number[] = [];
  const folders = labels === undefined ? [] : await foldersIn(join(dir, inner), new Map(), kind);
  const beside = (folder: string) => (inner === '' ? folder : `${inner}/${folder}`);
  const roots = labels
    ?.map((label) => folders.find((one) => one.label === label)?.name)
    .map((one) => one && beside(one));
  for (const [number, root] of (roots ?? [inner]).entries()) {
    if (root === undefined) continue;
    const within = (name: string) => (root === '' ? name : `${root}/${name}`);
    const prefix = nameOf(within(''));
    const found = await filesBelow(join(dir, root), kind, unread);
    const known = new Set(found.map(nameOf));
    const gone = [...exclude].flatMap((name) => {
      const path = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      return path !== '' && !known.has(path) ? path : [];
    });
    for (const name of [...found, ...gone].sort(byName)) {
      files.push(join(dir, root, name));
      names.push(nameOf(within(name)));
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

/** A part in its own folder has files, and no class that the training part has not; without `labels` there are no classes. */
async function checkPart(
  kind: FileKind,
  root: string,
  part: Listing,
  labels: readonly string[] | undefined,
): Promise<void> {
  const place = `${kind.data} "${printable(root)}"`;
  const unknown = (await foldersIn(root, new Map(), kind)).find(({ label }) => labels?.includes(label) === false);
  if (labels !== undefined && unknown !== undefined) {
    const classes = printable(labels.join(', '));
    throw invalid(place, `there is a class folder "${printable(unknown.name)}"`, `the training classes are ${classes}`);
  }
  if (part.files.length === 0)
    throw invalid(
      place,
      `no ${kind.many} found`,
      `the folder must contain ${labels === undefined ? '' : 'class folders with '}${kind.many}`,
    );
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

function missingClasses(many: string, part: string, listing: Listing | undefined, labels: readonly string[]): string[] {
  const missing = listing ? labels.filter((_, k) => !listing.targets.includes(k)) : [];
  return missing.length === 0 ? [] : [`There are no ${part} ${many} for the class ${printable(missing.join(', '))}.`];
}

/** Names of all files there are or were; contents of those that are used, in the order in which they are checked. */
export function checksumsOf(
  { listings, used: { train, valid, test } }: ClassFolders,
  hashes: readonly Uint8Array[],
  namesOnly: boolean,
): Checksums {
  const files = createHash('sha256');
  for (const listing of [listings.pool, listings.valid, listings.test])
    files.update(`${listing?.names.join('\0') ?? ''}\0\0`);
  if (namesOnly) return { files: files.digest('hex') };
  let next = 0;
  const add = (hash: ReturnType<typeof createHash>, { names, targets }: Listing) => {
    names.forEach((name, i) => {
      hash.update(`${name}\0${targets[i]}\0`).update(hashes[next++] ?? '');
    });
    return hash;
  };
  const search = add(add(createHash('sha256'), train).update('\0'), valid).digest('hex');
  return { files: files.digest('hex'), search, test: add(createHash('sha256'), test).digest('hex') };
}
