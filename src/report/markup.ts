/**
 * A small writer of SVG and HTML text. What it is given is escaped; the result is a `Markup`, so that text that was
 * already escaped is not escaped again, and text that was not cannot slip through.
 */
export interface Markup {
  readonly markup: string;
}

/** Plain text for element content or a quoted attribute. Characters that XML 1.0 forbids become U+FFFD. */
export function escapeText(text: string): string {
  return text
    .replace(FORBIDDEN, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
// Everything outside XML 1.0's Char production: control characters, lone surrogates, U+FFFE and U+FFFF.
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

/** Markup from a template: interpolated strings and numbers are escaped, markup and lists of it are joined, undefined is nothing. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | undefined | Markup | readonly Markup[])[]
): Markup {
  let out = parts[0] ?? '';
  values.forEach((value, i) => {
    out += textOf(value) + (parts[i + 1] ?? '');
  });
  return { markup: out };
}

/** Markup made elsewhere and known to be safe: an SVG that Netsmith drew. */
export function trusted(markup: string): Markup {
  return { markup };
}

function textOf(value: string | number | undefined | Markup | readonly Markup[]): string {
  if (value === undefined) return '';
  if (typeof value === 'string') return escapeText(value);
  if (typeof value === 'number') return String(value);
  if ('markup' in value) return value.markup;
  return value.map((item) => item.markup).join('');
}

/** Coordinates of two decimals: enough for the eye, stable as text. */
export function coordinate(value: number): number {
  return Math.round(value * 100) / 100;
}
