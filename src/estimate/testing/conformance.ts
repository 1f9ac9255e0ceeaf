import { suite, test } from 'node:test';
import { lookRules, type MakeSetup, trainingRules } from '../conformance.node.ts';

export { artifactsInMemory, runOf } from '../conformance.node.ts';

/** What every estimator must do that measures a candidate once and has no epochs of its own, as tests. */
export function lookConformance(name: string, setup: MakeSetup): void {
  suite(`estimator conformance, one look: ${name}`, () => {
    for (const { title, check } of lookRules(setup)) test(title, check);
  });
}

/** What every estimator that trains must do, as tests. */
export function estimatorConformance(name: string, setup: MakeSetup): void {
  suite(`estimator conformance: ${name}`, () => {
    for (const { title, check } of trainingRules(setup)) test(title, check);
  });
}
