import { plural, showDeviation, showDifference, showMetric, showSeconds } from '../numbers.ts';
import type { Tile } from '../page.ts';
import type { Analysis, CompetitorSummary, Leader } from './analysis.ts';
import type { Comparison } from './data.ts';

/** Below this a difference is called one. */
const LEVEL = 0.05;

/** `0.012`, `< 0.001` */
export function showP(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** `p = 0.012`, `p < 0.001` */
function isP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}

/** Who won, in a sentence: what can be told apart, and what cannot, at 0.05 after the correction for all pairs. */
export function winnerOf(
  comparison: Comparison,
  { competitors, leader }: Analysis,
): {
  readonly text: string;
  readonly tone: 'better' | 'even' | 'open';
} {
  const { metric } = comparison.objective;
  const own = competitors.find(({ name }) => name === leader.name);
  const value = (leader.part === 'test' ? own?.test : own?.valid)?.mean;
  const part = leader.part === 'test' ? 'test' : 'validation';
  const at = `${showMetric(metric, value)} mean ${part} ${metric}`;
  const seeds = seedsOf(comparison);
  const [second] = leader.against;
  if (second === undefined)
    return { tone: 'open', text: `${leader.name} has ${at} over ${seeds}; there is nothing to compare it with.` };
  const behind = leader.against.filter(({ holm }) => holm < LEVEL);
  const level = leader.against.filter(({ holm }) => holm >= LEVEL);
  if (behind.length === 0 && leader.leastP >= LEVEL) {
    const leads =
      second.difference === 0
        ? `${leader.name} and ${second.name} have the same mean`
        : `${leader.name} has the best mean`;
    const needed = seedsNeeded(leader, comparison);
    return {
      tone: 'open',
      text: `No winner yet: ${leads} (${at}), but ${seeds} cannot show a difference (smallest possible p: ${Number(leader.leastP.toPrecision(2))})${needed}.`,
    };
  }
  if (behind.length === 0) {
    const lead = `${showDifference(metric, Math.abs(second.difference)).replace('+', '')} ahead of ${second.name}`;
    return {
      tone: 'even',
      text: `No clear winner: ${leader.name} has the best mean (${at}, ${lead}), but is not distinguishable from ${listed(level.map(({ name, holm }) => `${name} (${isP(holm)})`))}; ${seeds}.`,
    };
  }
  const beaten = listed(behind.map(({ name, holm }) => `${name} (${isP(holm)})`));
  const rest = level.length === 0 ? '' : `; not distinguishable from ${listed(level.map(({ name }) => name))}`;
  return { tone: 'better', text: `${leader.name} is best: ${at}, better than ${beaten}${rest}; ${seeds}.` };
}

function seedsOf({ competitors }: Comparison): string {
  const counts = competitors.map(({ runs }) => runs.length);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  return fewest === most ? plural(fewest, 'seed') : `${fewest} to ${most} seeds`;
}

/** The smallest number of seeds that a paired test needs for N pairs. */
function seedsNeeded({ against }: Leader, { competitors }: Comparison): string {
  const pairs = (competitors.length * (competitors.length - 1)) / 2;
  const needed = Math.ceil(1 + Math.log2(pairs / LEVEL));
  return against.length === 0 ? '' : `; use at least ${needed} seeds`;
}

/** `a`, `a and b`, `a, b and c` */
function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** Best first: by the test mean where all were tested, else by validation. */
export function ranked({ objective }: Comparison, { competitors }: Analysis): readonly CompetitorSummary[] {
  const sign = objective.direction === 'maximize' ? -1 : 1;
  const tested = competitors.every(({ test }) => test !== undefined);
  const value = ({ test, valid }: CompetitorSummary) => sign * ((tested ? test : valid)?.mean ?? Number.NaN);
  return competitors.toSorted((a, b) => value(a) - value(b));
}

/** The first three, and what it took. */
export function tilesOf(comparison: Comparison, analysis: Analysis): readonly Tile[] {
  const { objective, optimum } = comparison;
  const { metric } = objective;
  const { part } = analysis.leader;
  const seconds = analysis.competitors.reduce((sum, { totalSeconds }) => sum + totalSeconds, 0);
  const counts = comparison.competitors.map(({ runs }) => runs.length);
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  return [
    ...ranked(comparison, analysis)
      .slice(0, 3)
      .map((one, i): Tile => {
        const spread = part === 'test' ? one.test : one.valid;
        const sd = spread === undefined || spread.count < 2 ? '' : `± ${showDeviation(metric, spread.sd)}, `;
        return {
          name: `${i + 1}. ${one.name}`,
          value: showMetric(metric, spread?.mean),
          more: `${sd}${part === 'test' ? 'test' : 'validation'} ${metric}`,
        };
      }),
    ...(optimum === undefined
      ? []
      : [
          {
            name: 'Best of the space',
            value: showMetric(metric, part === 'test' ? (optimum.test ?? optimum.valid) : optimum.valid),
            more: part === 'test' && optimum.test !== undefined ? 'test' : 'validation',
          },
        ]),
    { name: 'Seeds', value: fewest === most ? String(fewest) : `${fewest}–${most}`, more: 'searches of each' },
    {
      name: 'Compute',
      value: showSeconds(seconds),
      more: plural(
        counts.reduce((a, b) => a + b, 0),
        'search',
      ),
    },
  ];
}
