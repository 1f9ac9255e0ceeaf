import { html, type Markup } from './markup.ts';

/** A cell: what it shows, and the number that it is sorted by (NaN: none, which comes last). */
export interface Cell {
  readonly show: string | Markup;
  readonly sort?: number | undefined;
}

export interface Column {
  readonly head: string | Markup;
  /** Numbers stand right; text left, and it wraps; `long`: text that wants some room. */
  readonly kind?: 'number' | 'text' | 'long';
}

export interface Row {
  /** The first is the row's head. */
  readonly cells: readonly (string | Markup | Cell)[];
  /** Marked out. */
  readonly best?: boolean;
}

const CLASSES = { number: undefined, text: 'text', long: 'text long' } as const;

/** A table with a caption in a box that scrolls where the page is narrower. `tall`: it scrolls downwards as well. */
export function dataTable(table: {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly sortable?: boolean;
  readonly tall?: boolean;
}): Markup {
  const { caption, columns, rows, sortable = false, tall = false } = table;
  const classOf = (column: number) => {
    const name = CLASSES[columns[column]?.kind ?? 'number'];
    return name === undefined ? undefined : html` class="${name}"`;
  };
  const head = columns.map(({ head }, i) => html`<th scope="col"${classOf(i)}>${head}</th>`);
  const body = rows.map(({ cells, best = false }) => {
    const shown = cells.map((cell, i) => {
      const { show, sort } = typeof cell === 'object' && 'show' in cell ? cell : { show: cell, sort: undefined };
      const key = sort === undefined ? undefined : html` data-v="${Number.isFinite(sort) ? sort : ''}"`;
      return i === 0
        ? html`<th scope="row"${classOf(i)}${key}>${show}</th>`
        : html`<td${classOf(i)}${key}>${show}</td>`;
    });
    return html`<tr${best ? html` class="best"` : undefined}>${shown}</tr>
`;
  });
  return boxed(
    caption,
    tall,
    html`<table${sortable ? html` data-sortable` : undefined}>${captionOf(caption)}<thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table>`,
  );
}

/** Names and what they are, one a row. */
export function factTable(
  caption: string,
  facts: readonly (readonly [name: string | Markup, value: string | Markup])[],
): Markup {
  const rows = facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`);
  return boxed(caption, false, html`<table class="facts">${captionOf(caption)}<tbody>${rows}</tbody></table>`);
}

function captionOf(caption: string): Markup {
  return html`<caption><span>${caption}</span></caption>`;
}

/** Reached by the keyboard, since it may scroll. */
export function boxed(label: string, tall: boolean, content: Markup): Markup {
  return html`<div class="scroll${tall ? ' tall' : ''}" role="region" aria-label="${label}" tabindex="0">${content}</div>`;
}
