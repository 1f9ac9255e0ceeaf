import type { Module } from '../../space/tree/module.ts';
import { coordinate, html, type Markup, trusted } from '../markup.ts';
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

/**
 * Fill and outline of each style, on a light page and on a dark one. Text is near black, or near white, on all of them (contrast
 * above 10:1).
 */
const PAINT = {
  convolution: { light: ['#e3edf9', '#4a76a8'], dark: ['#1d3047', '#6d9ccf'] },
  linear: { light: ['#eee6f7', '#7b5ea7'], dark: ['#32264a', '#a78bd6'] },
  pooling: { light: ['#e2f2e6', '#4c8a5b'], dark: ['#1b3524', '#6cb37e'] },
  light: { light: ['#ffffff', '#8a919c'], dark: ['#1b2027', '#7d8896'] },
  nothing: { light: ['#ffffff', '#b8bec7'], dark: ['#1b2027', '#565f6b'] },
  none: { light: ['#ffffff', '#c3c8d0'], dark: ['#13161b', '#4a525d'] },
  cell: { light: ['#fdf0d5', '#b98117'], dark: ['#3d2f12', '#d9a441'] },
  choice: { light: ['#fbe6e6', '#b25151'], dark: ['#432122', '#e08585'] },
  group: { light: ['none', '#8a919c'], dark: ['none', '#7d8896'] },
  join: { light: ['#ffffff', '#333a45'], dark: ['#13161b', '#c3cbd6'] },
  fork: { light: ['#333a45', '#333a45'], dark: ['#c3cbd6', '#c3cbd6'] },
  end: { light: ['#f2f3f5', '#b8bec7'], dark: ['#232932', '#565f6b'] },
  node: { light: ['#ffffff', '#333a45'], dark: ['#13161b', '#c3cbd6'] },
} as const satisfies Record<Style, Record<'light' | 'dark', readonly [fill: string, stroke: string]>>;

const GAP = 28;
const HEADING = 24;
const INK = { light: '#1c2128', dark: '#e5e9ee' } as const;
const FAINT = { light: '#5f6773', dark: '#a3adba' } as const;
const FLOW = { light: '#59616d', dark: '#98a2b0' } as const;
const FAINT_FLOW = { light: '#c3c8d0', dark: '#4a525d' } as const;
const GROUND = { light: '#ffffff', dark: '#13161b' } as const;

/**
 * The colors of the dark theme. Those of the light one are the shapes' own attributes, which every program reads; a browser that
 * is asked for the dark one replaces them by these. On paper it stays light.
 */
const DARK = [
  ...Object.entries(PAINT).map(([style, { dark }]) => `.nd-${style}{fill:${dark[0]};stroke:${dark[1]}}`),
  ...[`.nd-ink{fill:${INK.dark}}`, `.nd-faint{fill:${FAINT.dark}}`, `.nd-ground{fill:${GROUND.dark}}`],
  ...[`.nd-flow{stroke:${FLOW.dark}}`, `.nd-head{fill:${FLOW.dark}}`],
  ...[`.nd-flow.nd-dim{stroke:${FAINT_FLOW.dark}}`, `.nd-head.nd-dim{fill:${FAINT_FLOW.dark}}`],
].join('');
const THEME = html`<style>${trusted(`@media screen and (prefers-color-scheme:dark){${DARK}}`)}</style>`;

/**
 * An SVG of a network: a column of blocks from input to output and, beside it, each different cell once with its nodes,
 * edges and operations. Repeats are counted (`×5`). `network` may still have open choices; they are drawn as such.
 * Self-contained: no script, no font, no reference to anything outside.
 */
export async function drawArchitecture(network: Module, options: DrawingOptions = {}): Promise<string> {
  const { title = 'Architecture', width: limit = 900 } = options;
  const panels = await panelsOf(network);

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
  return svgOf(title, right, bottom, placed, 'max-width:100%;height:auto');
}

/** An SVG of a graph that has been placed. */
export function drawPlaced(title: string, placed: Placed): string {
  return svgOf(title, placed.width, placed.height, [drawPanel(undefined, placed, 0, 0)], 'max-width:100%;height:auto');
}

/** One drawing of a network among several that belong together. */
export interface DrawnPanel {
  /** `Network`, or the cell's name. */
  readonly heading: string;
  readonly svg: string;
}

/** The same in parts, for a page that arranges them: the column of blocks, then each different cell. */
export async function drawPanels(
  network: Module,
  { title = 'Architecture' }: DrawingOptions = {},
): Promise<DrawnPanel[]> {
  return (await panelsOf(network)).map(({ heading = 'network', placed }) => ({
    heading: heading.charAt(0).toUpperCase() + heading.slice(1),
    svg: svgOf(`${title}: ${heading}`, placed.width, placed.height, [drawPanel(undefined, placed, 0, 0)]),
  }));
}

async function panelsOf(network: Module): Promise<Panel[]> {
  const { root, cells } = blocksOf(network);
  const panels: Panel[] = [{ heading: undefined, placed: await layoutBlocks(root) }];
  for (const cell of cells) panels.push({ heading: cell.name, placed: await layoutCell(cell) });
  return panels;
}

function svgOf(title: string, right: number, bottom: number, content: readonly Markup[], style?: string): string {
  const [w, h] = [Math.ceil(right), Math.ceil(bottom)];
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-label="${title}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="${FONT_SIZE}"${style === undefined ? undefined : html` style="${style}"`}><title>${title}</title>${THEME}<rect class="nd-ground" width="${w}" height="${h}" fill="${GROUND.light}"/><g>${content}</g></svg>`
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
      : html`<text x="${coordinate(x + 4)}" y="${coordinate(y + 15)}" class="nd-ink" font-weight="600" fill="${INK.light}">${heading}</text>`;
  const shapes = panel.shapes.map(drawShape);
  return html`${title}<g transform="translate(${coordinate(x)} ${coordinate(top)})">${panel.edges.map(drawEdge)}${shapes}</g>`;
}

function drawShape(shape: PlacedShape): Markup {
  const [fill, stroke] = PAINT[shape.style].light;
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
  const box = html`<rect class="nd-${shape.style}" x="${x}" y="${y}" width="${w}" height="${h}" rx="${radius}" fill="${fill}" stroke="${stroke}"${dash}/>`;
  if (shape.style === 'group') {
    // How often, in the margin that the layout keeps free on the right.
    return html`<g>${hint}${box}<text x="${coordinate(x + w - 9)}" y="${coordinate(y + h / 2 + 5)}" text-anchor="end" class="nd-ink" font-weight="600" fill="${INK.light}">${shape.lines.join(' ')}</text></g>`;
  }
  const middle = coordinate(x + w / 2);
  const first = y + h / 2 - ((shape.lines.length - 1) * LINE) / 2 + FONT_SIZE * 0.35;
  const lines = shape.lines.map((line, i) => {
    const [name, ink] = shape.style === 'none' ? ['faint', FAINT.light] : ['ink', INK.light];
    return html`<text class="nd-${name}" x="${middle}" y="${coordinate(first + i * LINE)}" text-anchor="middle" fill="${ink}">${line}</text>`;
  });
  return html`<g>${hint}${box}${lines}</g>`;
}

function drawEdge({ points, dashed }: PlacedEdge): Markup {
  const [end, before] = [points.at(-1), points.at(-2)];
  if (end === undefined || before === undefined) return html``;
  const line = points.map((p, i) => `${i === 0 ? 'M' : 'L'}${coordinate(p.x)} ${coordinate(p.y)}`).join('');
  const ink = dashed ? FAINT_FLOW.light : FLOW.light;
  const dim = dashed ? ' nd-dim' : '';
  const [dx, dy] = [Math.sign(end.x - before.x), Math.sign(end.y - before.y)];
  // Arrow head: a triangle whose tip touches the shape.
  const [bx, by] = [end.x - 6 * dx, end.y - 6 * dy];
  const head = `M${coordinate(end.x)} ${coordinate(end.y)}L${coordinate(bx + 3 * dy)} ${coordinate(by + 3 * dx)}L${coordinate(bx - 3 * dy)} ${coordinate(by - 3 * dx)}Z`;
  const dash = dashed ? html` stroke-dasharray="4 3"` : undefined;
  return html`<path class="nd-flow${dim}" d="${line}" fill="none" stroke="${ink}"${dash}/><path class="nd-head${dim}" d="${head}" fill="${ink}"/>`;
}
