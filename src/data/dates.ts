/** Dates and times of day as text. Without a zone, a time is taken as it stands. */

/** The order of year, month and day; `time`: a time of day or a duration, without a date. */
export type DateFormat = 'ymd' | 'dmy' | 'mdy' | 'time';

export interface WrittenDate {
  /** Days since 1970-01-01, the time of day as a fraction; of a time alone, the fraction of a day. */
  readonly days: number;
  /** Whether a time of day stands there. */
  readonly timed: boolean;
}

const REST = '(?:(?:T|,? +)(\\S.*))?';
const YEAR_FIRST = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})${REST}$`, 'i');
const YEAR_LAST = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${REST}$`, 'i');
const DAY_NAMED = new RegExp(
  `^(\\d{1,2})(?:st|nd|rd|th)?\\.?[-/ ]+([a-z]{3,9})\\.?,?[-/ ]+(\\d{4}|\\d{2})${REST}$`,
  'i',
);
const NAMED_DAY = new RegExp(`^([a-z]{3,9})\\.?[- ]+(\\d{1,2})(?:st|nd|rd|th)?,?[- ]+(\\d{4})${REST}$`, 'i');
const MONTH = /^(\d{4})[-/](\d{2})$/;
const WEEKDAY = /^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,? +/i;
const TIME =
  /^(?:(\d{1,4}) days?,? +)?(\d{1,3}):(\d{2})(?::(\d{2}(?:[.,]\d{1,9})?))?(?: ?([ap])\.?m\.?)?(?: ?(z|utc|gmt|[+-]\d{2}:?\d{2}))?$/i;
const HOUR = /^(\d{1,2}) ?([ap])\.?m\.?$/i;
const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const MONTH_NAMES = 'january february march april may june july august september october november december sept'.split(
  ' ',
);

/** The date or time that a text is in this format; undefined for anything else, 30 February among it. */
export function readDate(text: string, format: DateFormat): WrittenDate | undefined {
  if (text.length < 3 || text.length > 48 || !/\d/.test(text)) return undefined;
  if (format === 'time') {
    const days = timeIn(text);
    return days === undefined ? undefined : { days, timed: true };
  }
  const found = dayIn(text, format);
  if (found === undefined) return undefined;
  if (found.time === undefined) return { days: found.day, timed: false };
  const time = timeIn(found.time);
  return time === undefined ? undefined : { days: found.day + time, timed: true };
}

function dayIn(
  text: string,
  format: DateFormat,
): { readonly day: number; readonly time: string | undefined } | undefined {
  const dated = (year: number, month: number, date: number, time?: string) => {
    const day = dayNumber(year, month, date);
    return day === undefined ? undefined : { day, time };
  };
  const first = YEAR_FIRST.exec(text);
  if (first !== null)
    return format === 'ymd' ? dated(Number(first[1]), Number(first[3]), Number(first[4]), first[5]) : undefined;
  const month = format === 'ymd' ? MONTH.exec(text) : null;
  if (month !== null) return dated(Number(month[1]), Number(month[2]), 1);
  const last = YEAR_LAST.exec(text);
  if (last !== null) {
    const [, a = '', separator, b = '', year = ''] = last;
    // 1.2.10 is rather a version.
    if (format === 'ymd' || (separator === '.' && year.length === 2 && (a.length < 2 || b.length < 2)))
      return undefined;
    const [date, of] = format === 'dmy' ? [a, b] : [b, a];
    return dated(fullYear(year), Number(of), Number(date), last[5]);
  }
  const bare = text.replace(WEEKDAY, '');
  const named = DAY_NAMED.exec(bare);
  if (named !== null) return dated(fullYear(named[3] ?? ''), monthNamed(named[2] ?? ''), Number(named[1]), named[4]);
  const american = NAMED_DAY.exec(bare);
  if (american !== null)
    return dated(Number(american[3]), monthNamed(american[1] ?? ''), Number(american[2]), american[4]);
  return undefined;
}

/** POSIX: two digits from 69 are of the 20th century. */
function fullYear(text: string): number {
  const year = Number(text);
  return text.length > 2 ? year : year + (year < 69 ? 2000 : 1900);
}

/** From 1; NaN for another word. */
function monthNamed(word: string): number {
  const name = word.toLowerCase();
  if (!MONTH_NAMES.includes(name) && !MONTHS.includes(name)) return Number.NaN;
  return MONTHS.indexOf(name.slice(0, 3)) + 1;
}

function dayNumber(year: number, month: number, date: number): number | undefined {
  if (!(month >= 1 && month <= 12 && date >= 1 && date <= 31 && year >= 1)) return undefined;
  const day = new Date(0);
  day.setUTCFullYear(year, month - 1, date);
  return day.getUTCDate() === date ? Math.round(day.getTime() / 86_400_000) : undefined;
}

/** As a fraction of a day; above 1 for a duration. */
function timeIn(text: string): number | undefined {
  const hour = HOUR.exec(text);
  if (hour !== null) {
    const at = twelve(Number(hour[1]), hour[2] ?? '') / 24;
    return Number.isNaN(at) ? undefined : at;
  }
  const time = TIME.exec(text);
  if (time === null) return undefined;
  const [, days = '0', hours = '', minutes = '', seconds = '0', half, zone] = time;
  const h = half === undefined ? Number(hours) : twelve(Number(hours), half);
  const [m, s] = [Number(minutes), Number(seconds.replace(',', '.'))];
  if (Number.isNaN(h) || m > 59 || s >= 61) return undefined;
  return Number(days) + (h + (m + s / 60) / 60) / 24 - zoneIn(zone ?? '');
}

function twelve(hour: number, half: string): number {
  if (hour < 1 || hour > 12) return Number.NaN;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

/** As a fraction of a day. */
function zoneIn(zone: string): number {
  const found = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (found === null) return 0;
  return ((found[1] === '-' ? -1 : 1) * (Number(found[2]) + Number(found[3]) / 60)) / 24;
}
