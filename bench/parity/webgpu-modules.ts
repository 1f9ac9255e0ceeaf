// Every kind of module on WebGPU against the reference interpreter: outputs and gradients within a thousandth. On a software driver about ten
// minutes (docs/engine.md: how to get one), so the tests check the operators on WebGPU, and this the modules.
//   eval "$(bash scripts/software-vulkan.sh)" && npx node --conditions=netsmith-source bench/parity/webgpu-modules.ts [--only TEXT]
import { parseArgs } from 'node:util';
import { createEngine } from '../../src/engine/create.ts';
import { threadedRuntime } from '../../src/engine/runtime/thread.node.ts';
import { toFloat32 } from '../../src/engine/testing/agreement.ts';
import { interpret } from '../../src/graph/interpret.ts';
import { caseGraph, MODULE_CASES } from '../../src/network/testing/cases.ts';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const norm = (numbers: Float64Array) => Math.sqrt(numbers.reduce((sum, one) => sum + one * one, 0));

const engine = await createEngine(threadedRuntime(), { device: 'webgpu', threads: 1 });
let failed = 0;
for (const one of MODULE_CASES.filter(({ name }) => name.includes(values.only))) {
  const { graph, feeds, indices } = caseGraph(one);
  const expected = interpret(graph, feeds);
  const program = await engine.compile(graph);
  const whole = Object.entries(feeds).filter(([name]) => indices.includes(name));
  const found = await program.run({
    ...toFloat32(feeds),
    ...Object.fromEntries(whole.map(([name, { shape, data }]) => [name, { shape, data: Int32Array.from(data) }])),
  });
  const errors = Object.entries(expected).map(([name, { data }]) => {
    const difference = data.map((value, i) => value - (found[name]?.data[i] ?? Number.NaN));
    return { name, error: norm(difference) / Math.max(norm(data), 1e-3) };
  });
  const worst = errors.reduce((a, b) => (a.error >= b.error ? a : b));
  const agrees = errors.every(({ error }) => error < 1e-3);
  if (!agrees) failed++;
  console.log(`${agrees ? 'agrees' : 'DIFFERS'}: ${one.name}, at most ${worst.error.toExponential(1)} (${worst.name})`);
  await program.dispose();
}
await engine.dispose();
process.exitCode = failed === 0 ? 0 : 1;
