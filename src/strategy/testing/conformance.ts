import { suite, test } from 'node:test';
import { strategyRules } from '../conformance.node.ts';
import type { Problem, Strategy } from '../strategy.ts';

/** What every strategy must do, as tests. */
export function strategyConformance(make: () => Strategy, problem: Problem): void {
  suite(`strategy conformance: ${make().name} on ${problem.space.name}`, () => {
    const options = { deterministic: make().name === 'exhaustive' };
    for (const { title, check } of strategyRules(make, problem, options)) test(title, check);
  });
}
