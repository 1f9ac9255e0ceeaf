import type { Module } from '../../space/module.ts';
import { coordinate, html, type Markup } from '../markup.ts';
import { blocksOf } from './blocks.ts';
import {
  FONT_SIZE,
  LINE,
  layoutBlocks,
  layoutCell,
  type Placed,
  type PlacedEdge,
  type PlacedShape,
  type Style,
} from './layout.ts';

export interface DrawingOptions {
  /** Read out by a screen reader, and shown above the drawing if `showTitle`. */
  readonly title?: string;
  /** Largest width in pixels that the panels are arranged in. */
  readonly width?: number;
}

/** Fill and outline of each style. Text is near black on all of them (contrast above 12:1). */
const PAINT = {
  convolution: { fill: '#e3edf9', stroke: '#4a76a8' },
  linear: { fill: '#eee6f7', stroke: '#7b5ea7' },
  pooling: { fill: '#e2f2e6', stroke: '#4c8a5b' },
  light: { fill: '#ffffff', stroke: '#8a919c' },
  nothing: { fill: '#ffffff', stroke: '#b8bec7' },
  none: { fill: '#ffffff', stroke: '#c3c8d0' },
  cell: { fill: '#fdf0d5', stroke: '#b98117' },
  choice: { fill: '#fbe6e6', stroke: '#b25151' },
  group: { fill: 'none', stroke: '#8a919c' },
  join: { fill: '#ffffff', stroke: '#333a45' },
  fork: { fill: '#333a45', stroke: '#333a45' },
  end: { fill: '#f2f3f5', stroke: '#b8bec7' },
  node: { fill: '#ffffff', stroke: '#333a45' },
} as const satisfies Record<Style, { fill: string; stroke: string }>;

const GAP = 28;
const HEADING = 24;
const INK = '#1c2128';

/**
 * An SVG of a network: a column of blocks from input to output and, beside it, each different cell once with its nodes,
 * edges and operations. Repeats are counted (`×5`). `network` may still have open choices; they are drawn as such.
 * Self-contained: no script, no font, no reference to anything outside.
 */
export async function drawArchitecture(network: Module, options: DrawingOptions = {}): Promise<string> {
  const { title = 'Architecture', width: limit = 900 } = options;
  const { root, cells } = blocksOf(network);
  const panels: Panel[] = [{ heading: undefined, placed: await layoutBlocks(root) }];
  for (const cell of cells) panels.push({ heading: cell.name, placed: await layoutCell(cell) });

  // Cells stand beside the main column, one below the other as long as the column reaches, then in a further one.
  const placed: Markup[] = [];
  let [x, y, right, bottom] = [0, 0, 0, 0];
  for (const [i, { heading, placed: panel }] of panels.entries()) {
    const height = panel.height + (heading === undefined ? 0 : HEADING);
    const fits = y === 0 || y + height <= (panels[0] as Panel).placed.height || right + GAP + panel.width > limit;
    if (i === 1 || !fits) [x, y] = [right + GAP, 0];
    placed.push(drawPanel(heading, panel, x, y));
    right = Math.max(right, x + panel.width);
    bottom = Math.max(bottom, y + height);
    if (i > 0) y += height + GAP;
  }
  const [w, h] = [Math.ceil(right), Math.ceil(bottom)];
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-label="${title}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="${FONT_SIZE}" style="max-width:100%;height:auto"><title>${title}</title><rect width="${w}" height="${h}" fill="#ffffff"/><g>${placed}</g></svg>`
    .markup;
}

interface Panel {
  readonly heading: string | undefined;
  readonly placed: Placed;
}

function drawPanel(heading: string | undefined, panel: Placed, x: number, y: number): Markup {
  const top = heading === undefined ? y : y + HEADING;
  const title =
    heading === undefined
      ? undefined
      : html`<text x="${coordinate(x + 4)}" y="${coordinate(y + 15)}" font-weight="600" fill="${INK}">${heading}</text>`;
  const shapes = panel.shapes.map(drawShape);
  return html`${title}<g transform="translate(${coordinate(x)} ${coordinate(top)})">${panel.edges.map(drawEdge)}${shapes}</g>`;
}

function drawShape(shape: PlacedShape): Markup {
  const { fill, stroke } = PAINT[shape.style];
  const [x, y, w, h] = [shape.x, shape.y, shape.width, shape.height].map(coordinate) as [
    number,
    number,
    number,
    number,
  ];
  const hint = shape.hint === undefined ? undefined : html`<title>${shape.hint}</title>`;
  const radius =
    shape.style === 'join' || shape.style === 'fork' ? h / 2 : shape.style === 'node' || shape.style === 'end' ? 14 : 5;
  const dash = shape.style === 'group' || shape.style === 'none' ? html` stroke-dasharray="4 3"` : undefined;
  const box = html`<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${radius}" fill="${fill}" stroke="${stroke}"${dash}/>`;
  if (shape.style === 'group') {
    // How often, in the margin that the layout keeps free on the right.
    return html`<g>${hint}${box}<text x="${coordinate(x + w - 9)}" y="${coordinate(y + h / 2 + 5)}" text-anchor="end" font-weight="600" fill="${INK}">${shape.lines.join(' ')}</text></g>`;
  }
  const middle = coordinate(x + w / 2);
  const first = y + h / 2 - ((shape.lines.length - 1) * LINE) / 2 + FONT_SIZE * 0.35;
  const lines = shape.lines.map((line, i) => {
    const ink = shape.style === 'none' ? '#6b7380' : INK;
    return html`<text x="${middle}" y="${coordinate(first + i * LINE)}" text-anchor="middle" fill="${ink}">${line}</text>`;
  });
  return html`<g>${hint}${box}${lines}</g>`;
}

function drawEdge({ points, dashed }: PlacedEdge): Markup {
  const [end, before] = [points.at(-1), points.at(-2)];
  if (end === undefined || before === undefined) return html``;
  const line = points.map((p, i) => `${i === 0 ? 'M' : 'L'}${coordinate(p.x)} ${coordinate(p.y)}`).join('');
  const ink = dashed ? '#c3c8d0' : '#59616d';
  const [dx, dy] = [Math.sign(end.x - before.x), Math.sign(end.y - before.y)];
  // Arrow head: a triangle whose tip touches the shape.
  const [bx, by] = [end.x - 6 * dx, end.y - 6 * dy];
  const head = `M${coordinate(end.x)} ${coordinate(end.y)}L${coordinate(bx + 3 * dy)} ${coordinate(by + 3 * dx)}L${coordinate(bx - 3 * dy)} ${coordinate(by - 3 * dx)}Z`;
  const dash = dashed ? html` stroke-dasharray="4 3"` : undefined;
  return html`<path d="${line}" fill="none" stroke="${ink}"${dash}/><path d="${head}" fill="${ink}"/>`;
}
