/**
 * The same checks on WebGPU, where the machine has a driver. A software one will do: Debian's chromium-common brings
 * SwiftShader and the Vulkan loader; docs/engine.md says which variables point at them.
 */
import { test } from 'node:test';
import { messageOf } from '../common/errors.ts';
import * as ops from '../graph/ops.ts';
import { graphCase } from '../graph/testing/case.ts';
import { CASES } from '../graph/testing/cases.ts';
import { createEngine } from './create.ts';
import type { Engine } from './engine.ts';
import { threadedRuntime } from './runtime/thread.node.ts';
import { assertAgreement, assertTrainsLikeReference } from './testing/agreement.ts';

const found = await createEngine(threadedRuntime(), { device: 'webgpu', threads: 1 }).catch((error: unknown) =>
  messageOf(error),
);

/** Runs on the device, or is skipped with the reason that there is none. */
function onDevice(name: string, body: (engine: Engine) => Promise<void>): void {
  if (typeof found === 'string') test(name, { skip: found }, () => {});
  else test(name, () => body(found));
}

onDevice('webgpu: training carries its state on the device, as the interpreter does', assertTrainsLikeReference);

/** Groups whose channels do not fill the packets that the provider computes them in, forward and backward. */
const packets = [
  { channels: 4, filters: 12, groups: 2, stride: 1 },
  { channels: 12, filters: 4, groups: 2, stride: 1 },
  { channels: 2, filters: 18, groups: 2, stride: 1 },
  { channels: 2, filters: 4, groups: 2, stride: 2 },
].map(({ channels, filters, groups, stride }) =>
  graphCase(
    `conv of ${channels} channels by ${filters} filters in ${groups} groups, stride ${stride}`,
    { x: [[2, channels, 5, 5]], w: [[filters, channels / groups, 3, 3]], bias: [[filters]] },
    (g, x = 0, w = 0, bias = 0) =>
      ops.conv(g, x, w, { stride: [stride, stride], dilation: [1, 1], pads: [1, 1, 1, 1], groups }, bias),
  ),
);

if (typeof found === 'string') test('webgpu: every operator', { skip: found }, () => {});
else
  for (const testCase of [...CASES, ...packets])
    onDevice(`webgpu: ${testCase.name}`, (engine) => assertAgreement((graph) => engine.compile(graph), testCase));
