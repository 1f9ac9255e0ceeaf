/**
 * The same checks on WebGPU, where the machine has a driver. A software one will do: Debian's chromium-common brings
 * SwiftShader and the Vulkan loader; docs/engine.md says which variables point at them.
 */
import { test } from 'node:test';
import { messageOf } from '../common/errors.ts';
import { CASES } from '../graph/testing/cases.ts';
import { createEngine } from './create.ts';
import type { Engine } from './engine.ts';
import { nodeRuntime } from './runtime/node.node.ts';
import { assertAgreement, assertTrainsLikeReference } from './testing/agreement.ts';

const found = await createEngine(nodeRuntime(), { device: 'webgpu', threads: 1 }).catch((error: unknown) =>
  messageOf(error),
);

/** Runs on the device, or is skipped with the reason that there is none. */
function onDevice(name: string, body: (engine: Engine) => Promise<void>): void {
  if (typeof found === 'string') test(name, { skip: found }, () => {});
  else test(name, () => body(found));
}

onDevice('webgpu: training carries its state on the device, as the interpreter does', assertTrainsLikeReference);

if (typeof found === 'string') test('webgpu: every operator', { skip: found }, () => {});
else
  for (const testCase of CASES)
    onDevice(`webgpu: ${testCase.name}`, (engine) => assertAgreement((graph) => engine.compile(graph), testCase));
