import { readFile } from 'node:fs/promises';
import { openPack } from '../../estimate/tabular/pack.ts';
import type { Space } from '../../space/space.ts';
import { nasBench201TestOf, type TestAccuracy } from './nas-bench-201-test.ts';

/** The test columns that come with Netsmith, for reports and benchmarks of searches that are over. */
export async function openNasBench201Test(space: Space): Promise<TestAccuracy> {
  const bytes = await readFile(new URL('./nas-bench-201-test.pack', import.meta.url));
  return nasBench201TestOf(await openPack(Uint8Array.from(bytes)), space);
}
