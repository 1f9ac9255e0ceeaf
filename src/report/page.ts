import { html, type Markup, trusted } from './markup.ts';
import { cspOf, SORT_SCRIPT } from './script.ts';
import { REPORT_CSS } from './style.ts';
import { factTable } from './table.ts';

export const NONE = html``;

/** What stands in a report under its own heading, and in the contents. */
export interface Section {
  /** The id of its heading, for links. */
  readonly id: string;
  readonly title: string;
  readonly body: Markup;
}

/** A number that a reader should see first. */
export interface Tile {
  readonly name: string;
  readonly value: string;
  /** A few words under it. */
  readonly more?: string | Markup | undefined;
}

/** The result in one sentence; `next`: what a reader may do now. */
export interface Verdict {
  readonly tone: 'better' | 'even' | 'worse' | 'open';
  readonly text: Markup;
  readonly next?: Markup | undefined;
}

/** One HTML file that needs nothing else: no network, no font, and no script to be read. Tiles and verdict first, then the contents. */
export async function page(content: {
  readonly title: string;
  /** Under the title. */
  readonly about: string;
  /** Netsmith's version. */
  readonly version: string;
  readonly tiles: readonly Tile[];
  readonly verdict: Verdict;
  /** Undefined where there is nothing to say. */
  readonly sections: readonly (Section | undefined)[];
}): Promise<string> {
  const { title, about, version, tiles, verdict } = content;
  const sections = content.sections.filter((one) => one !== undefined);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${await cspOf(SORT_SCRIPT)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="netsmith ${version}">
<title>${title}: Netsmith report</title>
<style>${trusted(REPORT_CSS)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the results</a>
<main>
<header>
<p class="over">Netsmith, neural architecture search</p>
<h1>${title}</h1>
<p class="meta">${about}</p>
</header>
<dl class="tiles">${tiles.map(({ name, value, more }, i) => html`<div${i === 0 ? html` class="first"` : NONE}><dt>${name}</dt><dd class="value">${value}</dd>${more === undefined ? NONE : html`<dd>${more}</dd>`}</div>`)}</dl>
<div class="verdict ${verdict.tone}"><p><strong>Verdict:</strong> ${verdict.text}</p>${verdict.next === undefined ? NONE : html`<p>${verdict.next}</p>`}</div>
<nav aria-label="Contents"><ol>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>
<div id="content">
${sections.map(
  ({ id, title, body }) => html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>
`,
)}</div>
<footer>Written by Netsmith ${version}.</footer>
</main>
<script>${trusted(SORT_SCRIPT)}</script>
</body>
</html>
`.markup;
}

/** Nothing without a picture. */
export function figure(svg: string | undefined, caption: string): Markup {
  return svg === undefined ? NONE : html`<figure><figcaption>${caption}</figcaption>${trusted(svg)}</figure>`;
}

/** Programs and the machine, as a table. */
export function environment(versions: Readonly<Record<string, string>>): Section {
  return { id: 'environment', title: 'Environment', body: factTable('Software and machine', Object.entries(versions)) };
}
