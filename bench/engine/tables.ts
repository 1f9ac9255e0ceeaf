/** Results as Markdown tables, which read well in a terminal too. */
import type { Row } from './compare.ts';
import type { Operator } from './profile-operators.ts';

type Cell = string | number;

/** Text columns to the left, numbers to the right. */
function markdown(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const text = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, c) => Math.max(...text.map((row) => row[c]?.length ?? 0)));
  const right = head.map(
    (_, c) => rows.length > 0 && rows.every((row) => typeof row[c] === 'number' || row[c] === '-'),
  );
  const pad = (row: readonly string[]) =>
    `| ${row.map((cell, c) => (right[c] ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0))).join(' | ')} |`;
  const rule = `|${widths.map((width, c) => '-'.repeat(width + 1) + (right[c] ? ':' : '-')).join('|')}|`;
  return [pad(text[0] ?? []), rule, ...text.slice(1).map(pad)].join('\n');
}

const milliseconds = (seconds: number) => Number((seconds * 1000).toPrecision(3));
const orDash = <T extends Cell>(value: T | null | undefined): T | '-' => value ?? '-';
const part = (own: number, other: number | null) => (other === null ? '-' : Number((own / other).toFixed(2)));

/** Each layout against each form of the peer. Times in milliseconds, memory in MiB. */
export function comparisonTable(rows: readonly Row[]): string {
  return markdown(
    ['', 'network', 'batch', 'layout', 'ms', 'MiB', 'GFLOP/s', 'of matmul', 'peer', 'ms', 'MiB', 'ratio', 'memory'],
    rows.map((row) => [
      ...[row.name, row.network, row.batch, row.layout, milliseconds(row.seconds), row.peakMiB],
      ...[Math.round(row.gflops), Number(row.matrixShare.toFixed(2)), orDash(row.peer)],
      row.peerSeconds === null ? '-' : milliseconds(row.peerSeconds),
      orDash(row.peerPeakMiB),
      row.ratio === null ? '-' : Number(row.ratio.toFixed(2)),
      part(row.peakMiB, row.peerPeakMiB),
    ]),
  );
}

/** The seconds before the first step: of our sessions, and of the peer's compiled form. */
export function compileTable(rows: readonly Row[]): string {
  const own = [...new Map(rows.map((row) => [`${row.name} ${row.network} ${row.batch} ${row.layout}`, row])).values()];
  return markdown(
    ['', 'network', 'batch', 'compiled by', 'seconds'],
    [
      ...own.map((row) => [row.name, row.network, row.batch, `netsmith, ${row.layout}`, row.compileSeconds]),
      ...rows
        .filter(({ peerCompileSeconds }) => peerCompileSeconds !== undefined)
        .map((row) => [row.name, row.network, row.batch, orDash(row.peer), Math.round(row.peerCompileSeconds ?? 0)]),
    ],
  );
}

/** Where one step's time goes. */
export function operatorTable(operators: readonly Operator[]): string {
  return markdown(
    ['operator', 'domain', 'nodes', 'ms', 'share'],
    operators.map(({ type, domain, nodes, milliseconds: ms, share }) => [
      ...[type, domain, nodes, Number(ms.toFixed(2))],
      Number(share.toFixed(3)),
    ]),
  );
}
