/** Plays searches in separate processes, as many at a time as there are cores. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SearchEnd, SearchOrder } from './play.ts';

/** So many searches are sent to a process at a time. */
const BATCH = 10;

/** The ends, in the order of `orders`. Rejects when a process dies. */
export async function playAll(
  orders: readonly SearchOrder[],
  processes: number,
  onProgress: (done: number) => void,
): Promise<SearchEnd[]> {
  const batches = Array.from({ length: Math.ceil(orders.length / BATCH) }, (_, i) => i * BATCH);
  const ends: SearchEnd[] = [];
  let done = 0;

  const work = async (): Promise<void> => {
    const child = fork(join(import.meta.dirname, 'child.ts'), { execArgv: ['--conditions=netsmith-source'] });
    const died = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`a searching process ended with ${signal ?? `exit code ${code}`}`);
    });
    died.catch(() => {});
    const answer = () => Promise.race([once(child, 'message'), died]);
    try {
      await answer();
      for (let start = batches.shift(); start !== undefined; start = batches.shift()) {
        child.send(orders.slice(start, start + BATCH));
        const [played] = (await answer()) as [SearchEnd[] | string];
        if (typeof played === 'string') throw new Error(played);
        for (const [i, end] of played.entries()) ends[start + i] = end;
        done += played.length;
        onProgress(done);
      }
    } finally {
      child.kill();
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, batches.length) }, work));
  return ends;
}
