/**
 * The only script of a report: it makes the heads of `table[data-sortable]` buttons that sort the rows. Without it the table is
 * there all the same. It adds no markup from text, and nothing of the data gets into it, so one hash allows it (`cspOf`).
 */
export const SORT_SCRIPT = `
for (const table of document.querySelectorAll('table[data-sortable]')) {
  const heads = [...table.tHead.rows[0].cells];
  const keyOf = (row, column) => {
    const { dataset, textContent } = row.cells[column];
    return dataset.v === undefined ? textContent : dataset.v === '' ? undefined : Number(dataset.v);
  };
  const compare = (a, b) => (typeof a === 'number' ? a - b : a.localeCompare(b, 'en', { numeric: true }));
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const sign = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: keyOf(row, column) }));
      rows.sort((a, b) =>
        a.key === undefined || b.key === undefined
          ? (a.key === undefined) - (b.key === undefined)
          : sign * compare(a.key, b.key));
      for (const other of heads) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', sign === 1 ? 'ascending' : 'descending');
      table.tBodies[0].append(...rows.map(({ row }) => row));
    });
  });
}
`;

/** The policy of a page with this inline script alone: nothing is loaded, sent or run but it. */
export async function cspOf(script: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script)));
  const hash = btoa(String.fromCharCode(...digest));
  return `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
}
