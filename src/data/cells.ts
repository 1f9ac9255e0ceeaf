/**
 * The cells of a table, as text: which say that a value is missing, which are numbers, and in which notation. Needs no file; works
 * in a browser.
 */

/** A cell as a file or a caller gives it. */
export type Cell = string | number | null | undefined;

/** How the numbers of a column are written. */
export interface Notation {
  /** A decimal comma, with points, spaces or apostrophes between thousands. Absent: a decimal point. */
  readonly decimal?: ',';
  /** A currency, `%` or another unit that stands beside the numbers. */
  readonly unit?: string;
}

/** A number as it is written; `value` is infinite beyond 1.8e308. */
export interface WrittenNumber {
  readonly value: number;
  /** The unit beside it, '' without one. */
  readonly unit: string;
}

/** The largest number that a 32-bit float holds, and so a network. */
export const MAX_FLOAT32 = 3.4028234663852886e38;

/** pandas' default markers, those of spreadsheets and databases, and infinities; in lower case. */
const MISSING: ReadonlySet<string> = new Set(
  `#n/a|#n/a n/a|#na|-1.#ind|-1.#qnan|1.#ind|1.#qnan|1.#inf|-1.#inf|nan|-nan|+nan|nat|<na>|n/a|n.a.|na|null|(null)|<null>|nil|none
#div/0!|#value!|#ref!|#name?|#num!|#null!|\\n|missing|(missing)|<missing>|(blank)|-|--|---|–|—|.|..|?|0000-00-00|0000-00-00 00:00:00
inf|+inf|-inf|infinity|+infinity|-infinity|∞|+∞|-∞`.split(/[|\n]/),
);
/** Markers that cannot be meant as a name. */
const NEVER_A_NAME = /^(#.*|-?1\.#.*|[-+]?nan|nat|<.*>|\(.*\)|\\n|[-+]?inf(inity)?|[-+]?∞|-+|\.+|\?|–|—|0000-.*)$/;

/** Whether a cell is empty or one of the markers above, in any case. */
export function isMissing(cell: Cell): boolean {
  if (cell === undefined || cell === null) return true;
  if (typeof cell === 'number') return !Number.isFinite(cell);
  const text = cell.trim();
  return text === '' || (text.length < 20 && MISSING.has(text.toLowerCase()));
}

/** Whether a marker may be meant as the name of a class or category: `None`, `NA`, `missing`, but not `#N/A` or `-`. */
export function mayBeName(marker: string): boolean {
  return !NEVER_A_NAME.test(marker.toLowerCase());
}

const INVISIBLE = /[\u200b-\u200d\u2060\ufeff]/g;
const PLAIN_TEXT = /^[\u0020-\u007e]*$/;

/** Text without blanks at its ends (no-break spaces among them) and characters without width, composed (NFC). */
export function tidy(text: string): string {
  return PLAIN_TEXT.test(text) ? text.trim() : text.replace(INVISIBLE, '').normalize('NFC').trim();
}

const PLAIN_NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
export function isPlainNumber(text: string): boolean {
  return PLAIN_NUMBER.test(text);
}

const MINUS = /[\u2010-\u2013\u2212\ufe63\uff0d]/g;
const BLANKS = /[\s\u00a0\u2000-\u200a\u202f]+/g;
/** Sign, what stands before, sign, digits with separators, exponent, what stands behind. */
const PARTS =
  /^([+-]?) ?(\p{L}{1,3}\.(?=[ \d])|[^\d\s.,+-]{0,4}) ?([+-]?) ?(\d[\d.,'’ ]*|[.,]\d+)(e[+-]?\d+)?(.{0,24})$/iu;
const DIGITS = {
  '.': /^(?:\d+|[1-9]\d{0,2}([,'’ ])\d{3}(?:\1\d{3})*|[1-9]\d?(?:,\d\d)+,\d{3})?(?:\.\d*)?$/,
  ',': /^(?:\d+|[1-9]\d{0,2}([.'’ ])\d{3}(?:\1\d{3})*)?(?:,\d*)?$/,
} as const;
const GROUPED = { '.': /[,'’ ]/g, ',': /[.'’ ]/g } as const;
/** Maps, since an object has names that are not its own: `0toString`. */
const MULTIPLIERS: ReadonlyMap<string, number> = new Map(Object.entries({ k: 1e3, K: 1e3, M: 1e6, B: 1e9 }));
/** Beside a currency: there `m` is no meter. */
const OF_MONEY: ReadonlyMap<string, number> = new Map(
  Object.entries({ m: 1e6, mn: 1e6, mio: 1e6, million: 1e6, b: 1e9, bn: 1e9, billion: 1e9 }),
);
/** Two letters or more; a single one only after a blank, as `1A` is rather a name. */
const WORD = /^(?: \p{L}| ?\p{L}\p{L}[\p{L}.]*| ?°\p{L}?| ?\p{L}+[/·]\p{L}+[²³]?| ?\p{L}+[²³])$/u;
const CURRENCY = /^\p{L}{0,3}\p{Sc}$/u;
let currencyCodes: ReadonlySet<string> | undefined;

function isCurrency(text: string): boolean {
  if (text === '') return false;
  currencyCodes ??= new Set([...Intl.supportedValuesOf('currency'), 'Kč', 'kr', 'zł', 'Fr.', 'Rs', 'Rs.']);
  return CURRENCY.test(text) || currencyCodes.has(text);
}

/**
 * The number that a text is, with a decimal point or comma: `-1.5e3`, `1,344.0`, `(20)`, `$ 1.20`, `5 %`, `23.4 km/h`, `1.5M`.
 * Undefined for anything else.
 */
export function readNumber(text: string, decimal: '.' | ',' = '.'): WrittenNumber | undefined {
  if (PLAIN_NUMBER.test(text) && (decimal === '.' || !text.includes('.'))) return { value: Number(text), unit: '' };
  if (text.length > 60 || !/\d/.test(text)) return undefined;
  let rest = text.replace(MINUS, '-').replace(BLANKS, ' ').trim();
  const inParentheses = /^\((.*)\)$/.exec(rest);
  if (inParentheses !== null) rest = (inParentheses[1] ?? '').trim();
  const parts = PARTS.exec(rest);
  if (parts === null) return undefined;
  const [, first = '', before = '', second = '', digits = '', exponent = '', last = ''] = parts;
  // The blank before a unit was taken for one between thousands.
  const behind = digits.endsWith(' ') && last !== '' ? ` ${last}` : last;
  const core = digits.trim();
  if (!DIGITS[decimal].test(core) || (first !== '' && second !== '')) return undefined;
  const signed = first + second;
  const trailing = behind.trim() === '-';
  if ((inParentheses !== null && signed !== '') || (trailing && (signed !== '' || inParentheses !== null)))
    return undefined;
  const beside = unitOf(before, trailing ? '' : behind);
  if (beside === undefined) return undefined;
  const value = Number(core.replace(GROUPED[decimal], '').replace(',', '.') + exponent.toLowerCase()) * beside.times;
  return { value: signed === '-' || inParentheses !== null || trailing ? -value : value, unit: beside.unit };
}

function unitOf(before: string, behind: string): { readonly unit: string; readonly times: number } | undefined {
  const word = behind.trim();
  const times = MULTIPLIERS.get(word) ?? (before === '' ? undefined : OF_MONEY.get(word.toLowerCase()));
  if (before !== '' && !isCurrency(before) && before !== '%') return undefined;
  if (word === '') return { unit: before, times: 1 };
  if (times !== undefined && (before !== '' || !behind.startsWith(' '))) return { unit: before, times };
  if (before !== '') return undefined;
  return word === '%' || word === '‰' || isCurrency(word) || WORD.test(behind) ? { unit: word, times: 1 } : undefined;
}

/** Whether a number with the unit `found` ('' for none) belongs to a column in `wanted`; a share needs its percent sign. */
export function unitFits(found: string, wanted: string): boolean {
  return found === wanted || (found === '' && wanted !== '%' && wanted !== '‰');
}

/** The finite number that a cell holds in this notation, if it does. */
export function numberIn(cell: Cell, { decimal, unit = '' }: Notation = {}): number | undefined {
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : undefined;
  const found = readNumber(tidy(cell ?? ''), decimal ?? '.');
  return found !== undefined && unitFits(found.unit, unit) && Number.isFinite(found.value) ? found.value : undefined;
}
