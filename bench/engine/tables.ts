/** Results as Markdown tables, which read well in a terminal too. */
import type { Row } from './compare.ts';
import type { Operator } from './profile-operators.ts';
import type { AxisResult } from './scaling-figure.ts';

type Cell = string | number;

/** Text columns to the left, numbers to the right. */
export function markdown(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
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
const hundredths = (value: number) => Number(value.toFixed(2));

/** What was timed, in a few words. */
const labelOf = ({ name, network }: Pick<Row, 'name' | 'network'>) =>
  name.startsWith(network) ? name : `${name}, ${network}`;
const keyOf = ({ name, network, batch, layout }: Row) => `${name} ${network} ${batch} ${layout}`;

/**
 * A line for each layout, with the forms of the peer beside it. ms: of one step or run. MiB: peak memory of the process. ratio:
 * the peer's time over ours. memory: our peak over that of the peer's first form.
 */
export function comparisonTable(rows: readonly Row[]): string {
  const forms = [...new Set(rows.flatMap(({ peer }) => (peer === null ? [] : [peer])))];
  const groups = Map.groupBy(rows, keyOf);
  return markdown(
    [
      '',
      'batch',
      'layout',
      'ms',
      'MiB',
      'GFLOP/s',
      'of matmul',
      ...forms.flatMap((form) => [form, 'MiB', 'ratio']),
      'memory',
    ],
    [...groups.values()].flatMap((group) => {
      const [row] = group;
      if (row === undefined) return [];
      const peers = forms.map((form) => group.find(({ peer }) => peer === form));
      const [usual] = peers;
      return [
        [
          ...[labelOf(row), row.batch, row.layout, milliseconds(row.seconds), row.peakMiB],
          ...[Math.round(row.gflops), hundredths(row.matrixShare)],
          ...peers.flatMap((one) => [
            one?.peerSeconds == null ? '-' : milliseconds(one.peerSeconds),
            one?.peerPeakMiB ?? '-',
            one?.ratio == null ? '-' : hundredths(one.ratio),
          ]),
          usual?.peerPeakMiB == null ? '-' : hundredths(row.peakMiB / usual.peerPeakMiB),
        ],
      ];
    }),
  );
}

/** The seconds before the first step: of our sessions, and of the peer's compiled form. */
export function compileTable(rows: readonly Row[]): string {
  const own = [...new Map(rows.map((row) => [keyOf(row), row])).values()];
  return markdown(
    ['', 'batch', 'made ready by', 'seconds'],
    [
      ...own.map((row) => [labelOf(row), row.batch, `netsmith, ${row.layout}`, row.compileSeconds]),
      ...rows
        .filter(({ peerCompileSeconds, layout }) => peerCompileSeconds !== undefined && layout === rows[0]?.layout)
        .map((row) => [labelOf(row), row.batch, row.peer ?? '-', row.peerCompileSeconds ?? 0]),
    ].map((row) => row.map((cell, c) => (c === 3 ? Number(Number(cell).toPrecision(2)) : cell))),
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

/** Points of each axis, and how far they are from a line. */
export function scalingTable(axes: readonly AxisResult[]): string {
  return markdown(
    ['', 'held fixed', 'value', 'seconds', 'MiB', 'off the line'],
    axes.flatMap(({ axis, fixed, points, line }) =>
      points.map(({ x, seconds, peakMiB }) => [
        ...[
          axis,
          Object.entries(fixed)
            .flatMap(([name, value]) => `${name} ${value}`)
            .join(', '),
        ],
        ...[x, Number(seconds.toPrecision(3)), peakMiB],
        line === undefined ? '-' : `${((100 * (seconds - line.intercept - line.slope * x)) / seconds).toFixed(0)} %`,
      ]),
    ),
  );
}

/** The creation of a session of so many nodes, so many of which are ready early. */
export interface SessionPoint {
  readonly nodes: number;
  readonly early: number;
  readonly seconds: number;
}

export function sessionTable(points: readonly SessionPoint[]): string {
  const early = [...new Set(points.map((point) => point.early))];
  return markdown(
    ['nodes', ...early.map((count) => `${count} early`)],
    [...Map.groupBy(points, ({ nodes }) => nodes)].map(([nodes, row]) => [
      nodes,
      ...early.map((count) => row.find((point) => point.early === count)?.seconds ?? '-'),
    ]),
  );
}

/** Milliseconds of one thread's time a sample, of a training step. */
export interface WidthPoint {
  readonly width: number;
  readonly milliseconds: number;
}

/** A line for each width, with that of the next multiple of the block beside it. */
export function widthTable(points: readonly WidthPoint[], block: number): string {
  return markdown(
    ['channels', 'ms a sample', `next multiple of ${block}`, 'ms a sample'],
    points.map(({ width, milliseconds: own }) => {
      const next = block === 0 ? width : Math.ceil(width / block) * block;
      return [width, own, next, points.find((point) => point.width === next)?.milliseconds ?? '-'];
    }),
  );
}

/** Processor seconds of an epoch of a network, of every round: both sides took turns. */
export interface TurnPoint {
  readonly network: string;
  readonly peer: string;
  readonly ours: readonly number[];
  readonly peers: readonly number[];
}

/** A line for each network: the least of either side, and the peer's over ours. */
export function turnTable(points: readonly TurnPoint[]): string {
  return markdown(
    ['network', 'ours, s', 'peer', 'its, s', 'ratio'],
    points.map(({ network, peer, ours, peers }) => {
      const [own, its] = [Math.min(...ours), Math.min(...peers)];
      return [network, hundredths(own), peer, hundredths(its), hundredths(its / own)];
    }),
  );
}
