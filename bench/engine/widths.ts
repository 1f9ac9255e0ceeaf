/**
 * What a width costs: milliseconds a sample of a training step against the channels of all convolutions, in the blocked layout. Where
 * they are no whole blocks, a width should take no longer than the next one that is. Widths take turns, and the time is that of
 * the processor, on one thread, so that other processes disturb it little. Saves the points in bench/results/.
 *
 *     npx node --conditions=netsmith-source bench/engine/widths.ts [--rounds 7]
 */
import { createEngine } from '../../src/engine/create.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import { globalAvgPool, linear, sequential } from '../../src/space/tree/builders.ts';
import { convBnRelu } from '../../src/space/tree/composites.ts';
import { parseFlags } from '../support/flags.ts';
import { watchOthers } from './contention.ts';
import { infoOf } from './networks.ts';
import { circumstances, saveResult } from './results.ts';
import { type WidthPoint, widthTable } from './tables.ts';
import { openStepOf } from './work.ts';

const WIDTHS = [8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64];
const BATCH = 64;
const WARM_UP = 2;

/** Five convolutions, 3x3 and 1x1, with and without a stride, on grey images of 28x28. */
const networkOf = (width: number) =>
  sequential(
    ...[
      convBnRelu(3, width),
      convBnRelu(3, width),
      convBnRelu(3, width, 2),
      convBnRelu(3, width),
      convBnRelu(1, width),
    ],
    globalAvgPool(),
    linear('outputs'),
  );

const { rounds } = parseFlags({ rounds: { type: 'string', default: '7' } });
const when = circumstances(1);
const others = watchOthers();
const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
const sides = [];
for (const width of WIDTHS) {
  const { run } = await openStepOf(engine, networkOf(width), infoOf('resnet8-28'), BATCH);
  for (let i = 0; i < WARM_UP; i++) await run();
  sides.push({ width, run, milliseconds: Number.POSITIVE_INFINITY });
}
for (let round = 0; round < Number(rounds); round++) {
  for (const side of sides) {
    const start = process.cpuUsage();
    await side.run();
    const { user, system } = process.cpuUsage(start);
    side.milliseconds = Math.min(side.milliseconds, (user + system) / 1000 / BATCH);
  }
}
const points: readonly WidthPoint[] = sides.map(({ width, milliseconds }) => {
  return { width, milliseconds: Number(milliseconds.toPrecision(3)) };
});
const { block } = engine.options;
process.stdout.write(`${widthTable(points, block)}\n`);
process.stderr.write(`saved: ${saveResult('widths', when, { otherCores: others() ?? null, block, points })}\n`);
await engine.dispose();
