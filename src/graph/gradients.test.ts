import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { interpret } from './interpret.ts';
import { OPS } from './ops.ts';
import { CASES } from './testing/cases.ts';
import { caseGraph, centralDifferences, gradientGraph, relativeError, secondGradientGraph } from './testing/check.ts';

const TOLERANCE = 1e-6;

describe('gradients agree with central differences of the interpreter', () => {
  for (const testCase of CASES.filter(({ stopsGradient }) => stopsGradient !== true)) {
    it(testCase.name, () => {
      for (const [graph, scalar] of [
        [gradientGraph(testCase), 'loss'],
        [secondGradientGraph(testCase), 'slope'],
      ] as const) {
        const results = interpret(graph, testCase.feeds);
        for (const name of Object.keys(testCase.feeds).filter((feed) => !testCase.indices?.includes(feed))) {
          const expected = centralDifferences(graph, scalar, testCase.feeds, name);
          const error = relativeError(results[`d ${name}`]?.data ?? [], expected);
          assert.ok(error < TOLERANCE, `d ${scalar} / d ${name}: relative error ${error}`);
        }
      }
    });
  }
});

describe('the table of cases', () => {
  it('has every operator kind', () => {
    const kinds = new Set(CASES.flatMap((testCase) => caseGraph(testCase).nodes.map(({ op }) => op.kind)));
    assert.deepEqual([...kinds].sort(), Object.keys(OPS).sort());
  });

  it('has no name twice', () => {
    assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
  });
});
