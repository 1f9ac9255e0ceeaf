/** Decides which folders are the splits of a data set, under any usual name, and which are classes. */
import { invalid } from '../../common/errors.ts';
import { printable } from '../../common/text.ts';

export type Role = 'train' | 'valid' | 'test';

const WORDS: Readonly<Record<Role, RegExp>> = {
  train: /^(train|trains|training|trainings|trained|trainning|trn|learn|learning)$/,
  valid: /^(valid|validation|validations|validate|val|vali|dev|devel|development)$/,
  test: /^(test|tests|testing|tst|eval|evaluate|evaluation|holdout|heldout)$/,
};

/** Words beside them that change nothing: `train_images`, `test set`, `dataset-validation`, `seg_train`. */
const FILLERS =
  /^(the|my|set|sets|data|dataset|datasets|split|part|samples?|images?|imgs?|texts?|docs?|documents?|pics|pictures|photos|seg|new|orig|original|final|x|\d+)$/;

/** The part that a folder of this name is, if it is the name of one: in any case, with words such as `set` beside it. */
export function roleOf(name: string): Role | undefined {
  const words = name
    .normalize('NFKC')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/h[oe]ld[-_ ]?out/g, 'heldout')
    .split(/[^\p{L}\p{N}]+|(?<=\D)(?=\d)/u)
    .map((word) => word.replace(/^(train|training|test|testing|valid|validation|val)(sets?|data|images|imgs)$/, '$1'))
    .filter((word) => word !== '' && !FILLERS.test(word));
  const [word, ...others] = words;
  if (word === undefined || others.length > 0) return undefined;
  return (Object.keys(WORDS) as Role[]).find((role) => WORDS[role].test(word));
}

/** A folder at the top, by its name, with the names of the folders in it (NFC) and whether it has files of the data itself. */
export interface TopFolder {
  readonly name: string;
  readonly inner: readonly string[];
  readonly files: boolean;
}

/**
 * The folder of each part; undefined where the folders are classes. Throws UserError where they may be either: parts without
 * class folders, parts beside other folders, a part twice, no training part, or folders that are all alike within, which
 * are rather parts than classes.
 */
export function partsAmong(
  place: string,
  folders: readonly TopFolder[],
): Readonly<Partial<Record<Role, string>>> | undefined {
  const named = folders.filter(({ name }) => roleOf(name) !== undefined);
  const others = folders.filter(({ name }) => roleOf(name) === undefined);
  const list = (some: readonly TopFolder[]) => some.map(({ name }) => `"${printable(name)}"`).join(', ');
  const roles = new Set(named.map(({ name }) => roleOf(name)));
  // A class may be called "train" where buses are another.
  const asClasses = others.length > 0 && roles.size < 2 && named.every(({ inner }) => inner.length === 0);
  if (named.length === 0 || asClasses) {
    refuseAlike(place, folders, list(folders));
    return undefined;
  }
  if (others.length > 0) {
    const found = `${list(named)} ${named.length === 1 ? 'is named like a split' : 'are named like splits'}, and ${list(others)} ${others.length === 1 ? 'is' : 'are'} beside`;
    throw invalid(
      place,
      found,
      'the folders must be either splits (train, valid, test) or classes; move the others away',
    );
  }
  const found: Partial<Record<Role, string>> = {};
  for (const { name } of named) {
    const role = roleOf(name) as Role;
    if (found[role] !== undefined) {
      throw invalid(
        place,
        `"${printable(found[role])}" and "${printable(name)}" are both the ${role} split`,
        'only one folder may be',
      );
    }
    found[role] = name;
  }
  if (named.every(({ inner }) => inner.length === 0)) {
    throw invalid(
      place,
      `${list(named)} are named like splits but have no class folders`,
      'a split needs one folder per class',
    );
  }
  if (found.train === undefined) {
    throw invalid(place, `found the splits ${list(named)}, but no training split`, 'name a folder "train"');
  }
  return found;
}

/** Refuses folders that hold the same subfolders and no files: they are parts of the data whose names Netsmith does not know. */
function refuseAlike(place: string, folders: readonly TopFolder[], names: string): void {
  const [first, ...others] = folders;
  if (first === undefined || others.length === 0 || first.inner.length < 2) return;
  const same = (one: TopFolder) => !one.files && one.inner.join('/') === first.inner.join('/');
  if (!folders.every(same)) return;
  const inner = first.inner.map((name) => `"${printable(name)}"`).join(', ');
  throw invalid(
    place,
    `the folders ${names} all contain the folders ${inner}, like splits of a dataset`,
    'if they are splits, name them train, valid and test; if they are classes, put the files directly into them',
  );
}
