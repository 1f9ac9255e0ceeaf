/** CUDA as far as a machine without it can tell: what is refused, which provider is asked for, and what models it gets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { CASES } from '../graph/testing/cases.ts';
import { createEngine } from './create.ts';
import { missingCuda, nodeRuntime, providersOf } from './runtime/node.node.ts';
import type { Runtime, SessionOptions } from './runtime/runtime.ts';
import { assertAgreement, assertTrainsLikeReference } from './testing/agreement.ts';

/** Asked for CUDA, it computes on the CPU. */
const asked: SessionOptions[] = [];
const models: Uint8Array[] = [];
const inner = nodeRuntime();
const pretending: Runtime = {
  ...inner,
  createSession(model, options) {
    asked.push(options);
    models.push(model);
    return inner.createSession(model, { ...options, device: 'cpu' });
  },
};
const engine = await createEngine(pretending, { device: 'cuda', threads: 1 });

test('cuda: the layout is the portable one, without being asked for', () => {
  assert.deepEqual([engine.options.device, engine.options.block], ['cuda', 0]);
});

test('cuda: training carries its state, which lies on the host, as the interpreter does', async () => {
  await assertTrainsLikeReference(engine);
  assert.ok(asked.length > 1 && asked.every(({ device }) => device === 'cuda'));
});

for (const testCase of CASES)
  test(`cuda: ${testCase.name}`, () => assertAgreement((graph) => engine.compile(graph), testCase));

test('cuda: models have standard operators alone', () => {
  for (const model of models) assert.ok(!Buffer.from(model).includes('com.microsoft'));
});

test('cuda: the provider is CUDA, and the CPU for what that lacks', () => {
  assert.deepEqual(
    [providersOf('cuda'), providersOf('cpu'), providersOf('webgpu')],
    [['cuda', 'cpu'], ['cpu'], ['webgpu']],
  );
});

test('cuda: where its libraries are missing, the error says how to get them', async () => {
  const found = await createEngine(nodeRuntime(), { device: 'cuda', threads: 1 }).then(
    (opened) => opened.dispose().then(() => undefined),
    (error: unknown) => error,
  );
  // Where there is a GPU with its libraries, it opens.
  if (found === undefined) return;
  assert.ok(found instanceof UserError);
  assert.match(
    found.message,
    /^device "cuda": onnxruntime-node \S+ cannot use it: .+; (?:CUDA needs|onnxruntime-node has CUDA)/,
  );
});

test('cuda: what is missing, by system', () => {
  const onLinux = missingCuda('linux', 'x64');
  assert.match(onLinux, /CUDA 12 and cuDNN 9 .*script\/install\.js --onnxruntime-node-install=cuda12/);
  for (const [platform, arch] of [
    ['win32', 'x64'],
    ['darwin', 'arm64'],
    ['linux', 'arm64'],
  ] as const)
    assert.match(missingCuda(platform, arch), /64-bit Linux with x64 processors alone: use --device webgpu/);
});
