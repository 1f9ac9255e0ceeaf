import { html, type Markup, trusted } from './markup.ts';
import { REPORT_CSS } from './style.ts';

export const NONE = html``;

/** One HTML file that needs nothing else: no network, no script, no font. */
export function page(content: {
  readonly title: string;
  /** Under the title. */
  readonly about: string;
  /** Netsmith's version. */
  readonly version: string;
  readonly sections: readonly Markup[];
}): string {
  const { title, about, version, sections } = content;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="netsmith ${version}">
<title>${title}: Netsmith report</title>
<style>${trusted(REPORT_CSS)}</style>
</head>
<body>
<main>
<header>
<p class="over">Netsmith, neural architecture search</p>
<h1>${title}</h1>
<p class="meta">${about}</p>
</header>
${sections}
</main>
</body>
</html>
`.markup;
}

export function section(title: string, body: readonly Markup[]): Markup {
  return html`<section><h2>${title}</h2>${body}</section>
`;
}

/** Nothing without a picture. */
export function figure(svg: string | undefined, caption: string): Markup {
  return svg === undefined ? NONE : html`<figure>${trusted(svg)}<figcaption>${caption}</figcaption></figure>`;
}

/** Programs and the machine, as a table. */
export function versionsSection(versions: Readonly<Record<string, string>>): Markup {
  return section('Made with', [
    html`<table class="settings"><tbody>${Object.entries(versions).map(([name, version]) => html`<tr><th scope="row">${name}</th><td class="text">${version}</td></tr>`)}</tbody></table>`,
  ]);
}
