import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts';

const checkpoint: Checkpoint = {
  history: [
    { epoch: 1, loss: 0.7, valid: { accuracy: 0.9, loss: 0.3 }, seconds: 1.25 },
    { epoch: 2, loss: 0.1, valid: {}, seconds: 1 },
  ],
  steps: 44,
  tensors: {
    'größe/weight': { shape: [2, 2], data: Float32Array.of(1, -0, 3.5e-40, Number.NEGATIVE_INFINITY) },
    scalar: { shape: [], data: Float32Array.of(7) },
    none: { shape: [0, 3], data: new Float32Array(0) },
  },
};

test('what is encoded is decoded again', () => {
  assert.deepEqual(decodeCheckpoint(encodeCheckpoint(checkpoint)), checkpoint);
  const best = { epoch: 1, weights: { scalar: { shape: [], data: Float32Array.of(-3) } } };
  assert.deepEqual(decodeCheckpoint(encodeCheckpoint({ ...checkpoint, best })), { ...checkpoint, best });
});

test('any tensors survive, bit for bit, from any offset in memory', () => {
  const tensors = fc.dictionary(
    fc.string().filter((name) => name !== '__proto__'),
    fc.float32Array().map((data) => ({ shape: [data.length], data })),
  );
  fc.assert(
    fc.property(tensors, fc.nat(7), (given, offset) => {
      const bytes = encodeCheckpoint({ history: [], steps: 0, tensors: given });
      const shifted = new Uint8Array(bytes.length + offset).subarray(offset);
      shifted.set(bytes);
      const read = decodeCheckpoint(shifted).tensors;
      assert.deepEqual(Object.keys(read).sort(), Object.keys(given).sort());
      for (const [name, { data }] of Object.entries(given)) assert.deepEqual(read[name]?.data, data);
    }),
  );
});

test('the order of the tensors does not show in the bytes', () => {
  const { scalar, none } = checkpoint.tensors as Record<'scalar' | 'none', Checkpoint['tensors'][string]>;
  const one = encodeCheckpoint({ ...checkpoint, tensors: { scalar, none } });
  assert.deepEqual(encodeCheckpoint({ ...checkpoint, tensors: { none, scalar } }), one);
});

test('a truncated file is refused at every length', () => {
  const bytes = encodeCheckpoint(checkpoint);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeCheckpoint(bytes.subarray(0, length)), /not a readable checkpoint/);
  }
});

test('foreign, newer and longer files are refused', () => {
  const bytes = encodeCheckpoint(checkpoint);
  const changed = (at: number, value: number) => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  assert.throws(() => decodeCheckpoint(new TextEncoder().encode('{"epoch": 1, "x": 2}')), /does not begin as one/);
  assert.throws(() => decodeCheckpoint(changed(4, 2)), /its version is 2; this program reads version 1/);
  assert.throws(() => decodeCheckpoint(changed(12, 0x20)), /header is not JSON/);
  assert.throws(() => decodeCheckpoint(new Uint8Array([...bytes, 0])), /tensors end at byte/);
});
