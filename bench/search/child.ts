/** A worker process of bench/search.ts: plays the searches that it is sent, one after another, and sends back what they came to. */
import { messageOf } from '../../src/common/errors.ts';
import { createEngine } from '../../src/engine/create.ts';
import { nodeRuntime } from '../../src/engine/runtime/node.node.ts';
import { openPlay, type SearchOrder } from './play.ts';

const play = await openPlay({ engine: () => createEngine(nodeRuntime(), { device: 'cpu', threads: 1 }) });

process.on('message', async (orders: readonly SearchOrder[]) => {
  try {
    const ends = [];
    for (const order of orders) ends.push(await play(order));
    process.send?.(ends);
  } catch (error) {
    process.send?.(messageOf(error));
  }
});
process.send?.('ready');
