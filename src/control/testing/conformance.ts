import { suite, test } from 'node:test';
import { type CheckEnvironmentOptions, environmentRules } from '../conformance.node.ts';
import type { Environment } from '../environment.ts';

/** What every environment must do, as tests. */
export function testEnvironment(environment: Environment, options: CheckEnvironmentOptions = {}): void {
  suite(`environment conformance: ${environment.name}`, () => {
    for (const { title, check } of environmentRules(environment, options)) test(title, check);
  });
}
