import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPS } from '../graph/ops.ts';
import { CASES } from '../graph/testing/cases.ts';
import { gradientGraph, secondGradientGraph } from '../graph/testing/check.ts';
import { toOnnx } from './onnx/lower.ts';
import { assertAgreement, kindsIn } from './testing/agreement.ts';
import { layoutsUnderTest, testLayouts } from './testing/layouts.ts';

const layouts = await layoutsUnderTest();

for (const testCase of CASES) {
  // Most have too few channels for blocks: in the blocked layout, each operator falls back separately.
  testLayouts(layouts, `${testCase.name} and its gradients agree with the interpreter`, ({ engine }) =>
    assertAgreement((graph) => engine.compile(graph), testCase),
  );
  // What an export is made of, and what other devices run; what loads it works in no layout of its own.
  test(`standard operators: ${testCase.name}`, () =>
    assertAgreement((graph) => layouts[0].engine.load(toOnnx(graph)), testCase));
}

test('the cases and their gradients use every operator kind', () => {
  const kinds = kindsIn(CASES.flatMap((testCase) => [gradientGraph(testCase), secondGradientGraph(testCase)]));
  assert.deepEqual(
    Object.keys(OPS).filter((kind) => !kinds.has(kind)),
    [],
  );
});
