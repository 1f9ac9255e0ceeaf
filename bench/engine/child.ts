/**
 * A measuring process of bench/engine.ts: peak memory is of the process, so each measurement has its own. What to measure is
 * its argument, as JSON (`Order`); prints one JSON line (`Measurement`).
 */
import { readFileSync } from 'node:fs';
import { createEngine } from '../../src/engine/create.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { createModel } from '../../src/engine/onnx/model.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import { threadedRuntime } from '../../src/engine/runtime/thread.node.ts';
import type { Machine, Measured, Measurement, Order, WorkOrder } from './order.ts';
import { median } from './statistics.ts';
import { openWork } from './work.ts';

/** ONNX Runtime lays out its memory in the first two runs. */
const WARM_UP = 2;

/** Of each run. */
interface Times {
  readonly wallSeconds: readonly number[];
  readonly cpuSeconds: readonly number[];
}

async function timed(run: () => Promise<unknown>, runs: number): Promise<Times> {
  const [wallSeconds, cpuSeconds]: [number[], number[]] = [[], []];
  for (let i = 0; i < WARM_UP + runs; i++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    await run();
    wallSeconds.push((performance.now() - start) / 1000);
    const { user, system } = process.cpuUsage(used);
    cpuSeconds.push((user + system) / 1e6);
  }
  return { wallSeconds: wallSeconds.slice(WARM_UP), cpuSeconds: cpuSeconds.slice(WARM_UP) };
}

/** The process's largest resident set so far. What Linux calls maxRSS may be the parent's; VmHWM is not. */
function peakMiB(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/mu.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (found !== undefined) return Number(found) / 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS / 1024;
}

async function measureWork(engine: Engine, order: WorkOrder): Promise<Measurement> {
  const open = openWork(engine, order);
  const actions: Record<string, Measured> = {};
  for (const name of order.actions) {
    const start = performance.now();
    const { run, parameters, multiplyAdds } = await open(name);
    const openSeconds = (performance.now() - start) / 1000;
    const { wallSeconds, cpuSeconds } = await timed(run, order.runs);
    const [seconds, cpu] = [median(wallSeconds), median(cpuSeconds)];
    actions[name] = { seconds, cpuSeconds: cpu, peakMiB: peakMiB(), openSeconds, parameters, multiplyAdds };
  }
  return { actions };
}

/** What `Machine` holds. */
async function matrixRate(threads: number): Promise<number> {
  const runtime = nodeRuntime();
  const side = 1024;
  const shape = [side, side];
  const model = createModel('matrix product');
  model.input('a', shape);
  model.input('b', shape);
  model.output('c', shape, model.node('MatMul', ['a', 'b']));
  const session = await runtime.createSession(model.encode(), {
    device: 'cpu',
    threads,
    optimization: 'none',
    keep: [],
  });
  const matrix = () => runtime.wrap({ shape, data: Float32Array.from({ length: side ** 2 }, Math.random) });
  const [feeds, into] = [{ a: matrix(), b: matrix() }, { c: matrix() }];
  return (2 * side ** 3) / median((await timed(() => session.run(feeds, into), 30)).wallSeconds) / 1e9;
}

const order = JSON.parse(process.argv[2] ?? '') as Order;
const { threads } = order;
const layout = order.kind === 'work' ? order.layout : 'auto';
// As a command that has the machine to itself.
const engine = await createEngine(threadedRuntime(), { device: 'cpu', threads, layout, spin: true });
const answer =
  order.kind === 'work'
    ? await measureWork(engine, order)
    : { block: engine.options.block, gflops: await matrixRate(threads) };
process.stdout.write(`${JSON.stringify(answer satisfies Measurement | Machine)}\n`);
await engine.dispose();
