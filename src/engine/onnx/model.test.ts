import assert from 'node:assert/strict';
import { test } from 'node:test';
import onnxProto from 'onnx-proto';
import { createModel } from './model.ts';

const typesOf = (model: Uint8Array) =>
  (onnxProto.onnx.ModelProto.decode(model).graph?.node ?? []).map(({ opType }) => opType);

test('a view is a node where it is read, once, and stands behind what it views', () => {
  const m = createModel('views');
  m.input('x', [2, 3]);
  const first = m.node('Neg', ['x']);
  const flat = m.view(first, [6], [2, 3]);
  m.view(first, [3, 2]);
  assert.equal(m.view(flat, [2, 3]), first);
  assert.deepEqual(m.shapesOf(flat), [[2, 3]]);
  const second = m.node('Abs', [m.node('Exp', [first])]);
  m.output('y', [6], m.node('Add', [m.node('Add', [flat, flat]), m.view(second, [6])]));
  assert.deepEqual(m.shapesOf(flat), [[2, 3], [6]]);
  assert.deepEqual(typesOf(m.encode()), ['Neg', 'Reshape', 'Exp', 'Abs', 'Reshape', 'Add', 'Add']);
});

test('a result of a conditional is read under any shape that its branches give it', () => {
  const m = createModel('conditional');
  m.input('condition', []);
  m.input('x', [2, 3]);
  m.input('y', [6]);
  const [result = ''] = m.branch(
    'condition',
    () => [m.node('Neg', ['x'])],
    () => [m.node('Neg', ['y'])],
  );
  for (const shape of [[2, 3], [6], [2, 3]]) assert.equal(m.view(result, shape, shape), result);
  assert.deepEqual(m.shapesOf(result), []);
});

test('a node that may be reused is added once, but not out of a branch', () => {
  const m = createModel('reuse');
  m.input('condition', []);
  m.input('x', [2]);
  const negated = (attributes = {}) => m.node('Neg', ['x'], attributes, { reuse: true });
  const branch = () => [m.node('Abs', [negated()])];
  const [chosen = ''] = m.branch('condition', branch, branch);
  const first = negated();
  assert.equal(negated(), first);
  assert.notEqual(negated({ axis: 1 }), first);
  assert.notEqual(m.node('Neg', ['x']), first);
  m.output('y', [2], m.node('Add', [chosen, first]));
  assert.deepEqual(typesOf(m.encode()), ['If', 'Neg', 'Neg', 'Neg', 'Add']);
});
