import { printable } from '../common/text.ts';

/**
 * A small writer of SVG and HTML text. What it is given is escaped; the result is a `Markup`, so that text that was
 * already escaped is not escaped again, and text that was not cannot slip through.
 */
export interface Markup {
  readonly markup: string;
}

/** Plain text for element content or a quoted attribute. Invisible characters become visible: see `visible`. */
export function escapeText(text: string): string {
  return visible(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/**
 * Text or markup in which control characters, those that turn the direction of writing, and what XML 1.0 forbids are shown as
 * `\u001b`. Line breaks and tabs stay.
 */
export function visible(text: string): string {
  return text.replace(/[^\n\t]+/g, printable).replace(/[\ufffe\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

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
