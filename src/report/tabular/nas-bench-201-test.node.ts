import { readFile } from 'node:fs/promises';
import { asset } from '../../common/package-files.node.ts';
import { openPack } from '../../estimate/tabular/pack.ts';
import type { Space } from '../../space/space.ts';
import { nasBench201TestOf, type TestAccuracy } from './nas-bench-201-test.ts';

/** The test columns that come with Netsmith, for reports and benchmarks of searches that are over. */
export async function openNasBench201Test(space: Space): Promise<TestAccuracy> {
  const bytes = await readFile(asset('report/tabular/nas-bench-201-test.pack'));
  return nasBench201TestOf(await openPack(Uint8Array.from(bytes)), space);
}
