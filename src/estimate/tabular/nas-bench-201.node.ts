import { readFile } from 'node:fs/promises';
import { asset } from '../../common/package-files.node.ts';
import { nasBench201Of } from './nas-bench-201.ts';
import { openPack } from './pack.ts';
import type { Table } from './table.ts';

/** The table that comes with Netsmith (see NOTICE for its source and license). */
export async function openNasBench201(): Promise<Table> {
  const bytes = await readFile(asset('estimate/tabular/nas-bench-201.pack'));
  return nasBench201Of(await openPack(Uint8Array.from(bytes)));
}
