/** An episode of an environment with a physical state, as a row of pictures: a film without a player. Static SVG in the page's colors. */
import type { EpisodeRecording } from '../../control/episodes.ts';
import type { EnvironmentName } from '../../control/index.ts';
import { coordinate, html, type Markup } from '../markup.ts';
import { ACCENT, INK, QUIET, STRONG } from './colors.ts';

/** Of a picture, in pixels; its caption stands below. */
const [WIDE, HIGH, CAPTION] = [150, 96, 18];
const COLUMNS = 4;
/** Pictures of an episode that is longer: the first step, the last one, and steps evenly between. */
const MOST = 12;

type Frame = ArrayLike<number>;

/** How the state of an environment is drawn, into `WIDE` by `HIGH` pixels. */
const PICTURES: Readonly<Partial<Record<EnvironmentName, (frame: Frame) => readonly Markup[]>>> = {
  'cart-pole': cart,
  'cart-pole-without-velocities': cart,
  pole: cart,
  'pole-without-velocities': cart,
  'double-pole': cart,
  'double-pole-without-velocities': cart,
  acrobot,
  pendulum,
  'mountain-car': (frame) => valley(frame, 0.5),
  'mountain-car-continuous': (frame) => valley(frame, 0.45),
  arm,
  breakout,
};

/** An episode as it is drawn: plain data, a dozen states at most. */
export interface ShownEpisode {
  /** The states, and the step that each has come after. */
  readonly frames: readonly (readonly number[])[];
  readonly steps: readonly number[];
  /** Steps of the whole episode. */
  readonly length: number;
  readonly return: number;
  readonly succeeded: boolean;
}

/** Whether episodes of this environment can be drawn: of known ones with a picture alone. */
export const hasPicture = (name: string): boolean => Object.hasOwn(PICTURES, name);

export function shownEpisode({ frames, rewards, episode }: EpisodeRecording): ShownEpisode {
  const steps = shownSteps(frames.length);
  const { succeeded } = episode;
  const drawn = steps.map((step) => [...(frames[step] ?? [])]);
  return { frames: drawn, steps, length: rewards.length, return: episode.return, succeeded };
}

/** The SVG of a recorded episode; undefined for an environment that has no picture, as one of a user's own. */
export function episodeFigure(name: string, recording: EpisodeRecording): string | undefined {
  return drawEpisode(name, shownEpisode(recording));
}

/** The same of the states that are shown. */
export function drawEpisode(name: string, episode: ShownEpisode): string | undefined {
  const picture = hasPicture(name) ? PICTURES[name as EnvironmentName] : undefined;
  if (picture === undefined) return undefined;
  const { frames, steps, length } = episode;
  const rows = Math.ceil(steps.length / COLUMNS);
  const [width, height] = [Math.min(steps.length, COLUMNS) * WIDE, rows * (HIGH + CAPTION)];
  const label = `Episode of ${name}: ${length} steps, return ${shown(episode.return)}, ${episode.succeeded ? 'a success' : 'no success'}; ${steps.length} of ${length + 1} states drawn`;
  const panels = steps.map((step, i) => {
    const [x, y] = [(i % COLUMNS) * WIDE, Math.floor(i / COLUMNS) * (HIGH + CAPTION)];
    const content = picture(frames[i] ?? []);
    return html`<g transform="translate(${x} ${y})"><rect x="2" y="2" width="${WIDE - 4}" height="${HIGH - 4}" rx="4" fill="none" stroke="var(--line)"/>${content}<text x="${WIDE / 2}" y="${HIGH + 11}" text-anchor="middle" font-size="11" fill="currentColor">step ${step}</text></g>`;
  });
  return html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}" font-family="system-ui, 'Segoe UI', Helvetica, Arial, sans-serif"><title>${label}</title>${panels}</svg>`
    .markup;
}

const shown = (value: number): string => String(Number(value.toFixed(2)));

/** The frames that are drawn, of so many: all, or evenly spaced ones with the first and the last. */
function shownSteps(count: number): readonly number[] {
  const drawn = Math.min(count, MOST);
  if (drawn === 1) return [0];
  return Array.from({ length: drawn }, (_, i) => Math.round((i * (count - 1)) / (drawn - 1)));
}

function line(x1: number, y1: number, x2: number, y2: number, color: string, thick = 3): Markup {
  return html`<line x1="${coordinate(x1)}" y1="${coordinate(y1)}" x2="${coordinate(x2)}" y2="${coordinate(y2)}" stroke="${color}" stroke-width="${thick}" stroke-linecap="round"/>`;
}

function dot(x: number, y: number, radius: number, color: string): Markup {
  return html`<circle cx="${coordinate(x)}" cy="${coordinate(y)}" r="${radius}" fill="${color}"/>`;
}

/** State [x, x', angle, angle', ...] of one or two poles, angles from upright. The track is drawn to its ends at 2.4 m. */
function cart(frame: Frame): readonly Markup[] {
  const metre = 58 / 2.4;
  const [middle, floor] = [WIDE / 2, 80];
  const x = middle + (frame[0] ?? 0) * metre;
  // Poles are drawn twice as long as the track's scale would have them; the second is a tenth of the first.
  const pole = (angle: number, length: number, color: string) =>
    line(x, floor - 10, x + length * Math.sin(angle), floor - 10 - length * Math.cos(angle), color);
  return [
    line(middle - 58, floor, middle + 58, floor, QUIET, 1),
    html`<rect x="${coordinate(x - 10)}" y="${floor - 10}" width="20" height="9" rx="2" fill="${INK}"/>`,
    pole(frame[2] ?? 0, 2 * metre, STRONG),
    ...(frame.length > 4 ? [pole(frame[4] ?? 0, 0.3 * metre, ACCENT)] : []),
  ];
}

/** State [angle 1, angle 2, ...], both 0 where the links hang down; the line is one link above the joint. */
function acrobot(frame: Frame): readonly Markup[] {
  const [x, y, link] = [WIDE / 2, HIGH / 2, 21];
  const [first, second] = [frame[0] ?? 0, (frame[0] ?? 0) + (frame[1] ?? 0)];
  const elbow = [x + link * Math.sin(first), y + link * Math.cos(first)] as const;
  const tip = [elbow[0] + link * Math.sin(second), elbow[1] + link * Math.cos(second)] as const;
  return [
    line(20, y - link, WIDE - 20, y - link, QUIET, 1),
    line(x, y, ...elbow, STRONG),
    line(...elbow, ...tip, ACCENT),
    dot(x, y, 3, INK),
  ];
}

/** State [angle, ...], 0 upright; positive angles turn to the left, as in Gymnasium's pictures. */
function pendulum(frame: Frame): readonly Markup[] {
  const [x, y, rod] = [WIDE / 2, HIGH / 2, 38];
  const angle = frame[0] ?? 0;
  return [line(x, y, x - rod * Math.sin(angle), y - rod * Math.cos(angle), STRONG, 5), dot(x, y, 3, INK)];
}

/** State [position, ...] in a valley of the form sin(3 position). */
function valley(frame: Frame, goal: number): readonly Markup[] {
  const at = (position: number) =>
    [12 + ((position + 1.2) / 1.8) * (WIDE - 24), 52 - 26 * Math.sin(3 * position)] as const;
  const ground = Array.from({ length: 37 }, (_, i) =>
    at(-1.2 + i * 0.05)
      .map(coordinate)
      .join(','),
  ).join(' ');
  const [flagX, flagY] = at(goal);
  const [x, y] = at(frame[0] ?? 0);
  return [
    html`<polyline points="${ground}" fill="none" stroke="${QUIET}" stroke-width="1.5"/>`,
    line(flagX, flagY, flagX, flagY - 16, ACCENT, 2),
    dot(x, y - 5, 5, STRONG),
  ];
}

/** State [angle 1, angle 2, ..., target x, target y]. */
function arm(frame: Frame): readonly Markup[] {
  const [x, y, metre] = [WIDE / 2, HIGH / 2, 42];
  const [first, second] = [frame[0] ?? 0, (frame[0] ?? 0) + (frame[1] ?? 0)];
  const elbow = [x + 0.5 * metre * Math.cos(first), y - 0.5 * metre * Math.sin(first)] as const;
  const tip = [elbow[0] + 0.5 * metre * Math.cos(second), elbow[1] - 0.5 * metre * Math.sin(second)] as const;
  const target = [x + (frame[4] ?? 0) * metre, y - (frame[5] ?? 0) * metre] as const;
  return [
    html`<circle cx="${coordinate(target[0])}" cy="${coordinate(target[1])}" r="5" fill="none" stroke="${ACCENT}" stroke-width="2"/>`,
    line(x, y, ...elbow, STRONG),
    line(...elbow, ...tip, STRONG),
    dot(x, y, 3, INK),
  ];
}

/** Bricks, paddle and ball, the ball on top. */
const BREAKOUT_COLORS = [
  [3, QUIET],
  [0, STRONG],
  [1, ACCENT],
] as const;

/** The image [4, 10, 10]: paddle, ball, where the ball was, bricks. */
function breakout(frame: Frame): readonly Markup[] {
  const cell = 8.4;
  const [left, top] = [(WIDE - 10 * cell) / 2, (HIGH - 10 * cell) / 2];
  const cells: Markup[] = [];
  for (const [channel, color] of BREAKOUT_COLORS)
    for (let i = 0; i < 100; i++)
      if (frame[channel * 100 + i] === 1)
        cells.push(
          html`<rect x="${coordinate(left + (i % 10) * cell)}" y="${coordinate(top + Math.floor(i / 10) * cell)}" width="${cell - 1}" height="${cell - 1}" fill="${color}"/>`,
        );
  return cells;
}
