import { plural, showDifference, showMetric } from '../numbers.ts';
import type { Analysis, Leader } from './analysis.ts';
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

/** Paired tests of so many pairs need this many seeds at least. */
function seedsNeeded({ against }: Leader, { competitors }: Comparison): string {
  const pairs = (competitors.length * (competitors.length - 1)) / 2;
  const needed = Math.ceil(1 + Math.log2(pairs / LEVEL));
  return against.length === 0 ? '' : `; use at least ${needed} seeds`;
}

/** `a`, `a and b`, `a, b and c` */
function listed(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
