/**
 * What the creation of a session costs: seconds against the number of nodes, and against how many of them are ready long before
 * they are wanted, such as those that read state alone. docs/performance.md draws the conclusion. Saves the points in
 * bench/results/.
 *
 *     npx node --conditions=netsmith-source bench/engine/sessions.ts
 */
import { createModel } from '../../src/engine/onnx/model.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import { parseFlags } from '../support/flags.ts';
import { watchOthers } from './contention.ts';
import { circumstances, saveResult } from './results.ts';
import { type SessionPoint, sessionTable } from './tables.ts';

parseFlags({});
const [NODES, EARLY] = [
  [10_000, 20_000, 40_000, 80_000],
  [0, 500, 2000, 8000],
];
const runtime = nodeRuntime();

/** A chain of nodes; `early` of all nodes read an input and are wanted at the end of the chain alone. */
async function seconds(nodes: number, early: number): Promise<number> {
  const m = createModel('chain');
  m.input('x', [1]);
  m.input('w', [1]);
  let value = 'x';
  for (let i = 2 * early; i < nodes; i++) value = m.node('Neg', [value]);
  // Ready from the start, but behind the chain in the file, which is the order that ONNX Runtime keeps to.
  for (let i = 0; i < early; i++) value = m.node('Add', [value, m.node('Neg', ['w'])]);
  m.output('y', [1], value);
  const model = m.encode();
  const start = performance.now();
  const session = await runtime.createSession(model, { device: 'cpu', threads: 1, optimization: 'none', keep: [] });
  const taken = (performance.now() - start) / 1000;
  await session.dispose();
  return taken;
}

const when = circumstances(1);
const others = watchOthers();
await seconds(1000, 0);
const points: SessionPoint[] = [];
for (const nodes of NODES) {
  for (const early of EARLY) {
    if (2 * early > nodes) continue;
    points.push({ nodes, early, seconds: Number((await seconds(nodes, early)).toPrecision(3)) });
  }
}
process.stdout.write(`${sessionTable(points)}\n`);
process.stderr.write(`saved: ${saveResult('sessions', when, { otherCores: others() ?? null, points })}\n`);
