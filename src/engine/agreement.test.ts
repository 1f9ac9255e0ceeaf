import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPS } from '../graph/ops.ts';
import { CASES } from '../graph/testing/cases.ts';
import { gradientGraph, secondGradientGraph } from '../graph/testing/check.ts';
import { createEngine } from './create.ts';
import { toOnnx } from './onnx/lower.ts';
import { nodeRuntime } from './runtime/node.node.ts';
import { assertAgreement, kindsIn } from './testing/agreement.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 2 });

for (const testCase of CASES) {
  test(`cpu: ${testCase.name} and its gradients agree with the interpreter`, () =>
    assertAgreement((graph) => engine.compile(graph), testCase));
  // What an export is made of, and what other devices run.
  test(`standard operators: ${testCase.name}`, () => assertAgreement((graph) => engine.load(toOnnx(graph)), testCase));
}

test('the cases and their gradients use every operator kind', () => {
  const kinds = kindsIn(CASES.flatMap((testCase) => [gradientGraph(testCase), secondGradientGraph(testCase)]));
  assert.deepEqual(
    Object.keys(OPS).filter((kind) => !kinds.has(kind)),
    [],
  );
});
