/** Test accuracies of NAS-Bench-201, once a comparison is over. */
import { openNasBench201 } from '../../src/estimate/tabular/nas-bench-201.node.ts';
import { openNasBench201Test } from '../../src/report/tabular/nas-bench-201-test.node.ts';
import { parseArchitecture } from '../../src/space/index.ts';

const DATASETS = ['cifar-10', 'cifar-100', 'imagenet16-120'];

/** Fractions by data set, after 200 epochs, of an architecture in the notation of the space. */
export async function openLookUp(): Promise<(text: string) => Readonly<Record<string, number>>> {
  const { space } = await openNasBench201();
  const test = await openNasBench201Test(space);
  return (text) => {
    const architecture = parseArchitecture(space, text);
    return Object.fromEntries(DATASETS.map((name) => [name, test(architecture, name) ?? Number.NaN]));
  };
}
