/** The same checks on WebGPU, where the machine has a driver (docs/engine.md: how to get one in software). */
import * as ops from '../graph/ops.ts';
import { graphCase } from '../graph/testing/case.ts';
import { CASES } from '../graph/testing/cases.ts';
import { assertAgreement, assertTrainsLikeReference } from './testing/agreement.ts';
import { assertFailureStopsTheQueue, assertRunsInOrder } from './testing/order.ts';
import { webgpuTests } from './testing/webgpu.ts';

const onDevice = await webgpuTests();

onDevice('webgpu: training carries its state on the device, as the interpreter does', assertTrainsLikeReference);

onDevice('webgpu: runs come in the order they were asked for', assertRunsInOrder);
onDevice('webgpu: a run that fails takes those behind it along', assertFailureStopsTheQueue);

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

for (const testCase of [...CASES, ...packets]) {
  onDevice(`webgpu: ${testCase.name}`, (engine) => assertAgreement((graph) => engine.compile(graph), testCase));
}
