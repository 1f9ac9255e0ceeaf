/** A method with one seed: its steps in their order, without those that have a row. */
import { keyOf, type Row, type TrainRow } from './rows.ts';
import { type Entry, infer, search, searchTable, train, type Venue } from './steps.ts';

const OTHER_TABLES = ['cifar-100', 'imagenet16-120'] as const;

/** A step that failed is a row with the reason; those that need its result are left out. */
export async function compareOne(
  entry: Entry,
  venue: Venue,
  done: ReadonlyMap<string, Row>,
  add: (row: Row) => void,
): Promise<void> {
  const { method, seed } = entry;
  /** The row of a step, which is done now if it has none. */
  const row = async (step: Row['step'], data: string | undefined, doIt: () => Promise<Row>): Promise<Row> => {
    const key = keyOf({ step, method: method.name, seed, ...(data !== undefined && { data }) });
    const found = done.get(key);
    if (found !== undefined) return found;
    const made = await doIt();
    add(made);
    return made;
  };
  const searched = method.search && (await row('search', undefined, () => search(entry, venue)));
  const text = searched?.step === 'search' ? searched.text : undefined;
  if (text === null) return;
  const trainOn = async (data: TrainRow['data']) =>
    (await row('train', data, () => train(entry, venue, data, text))) as TrainRow;
  const trained = await trainOn('cifar-10');
  if (trained.reason !== undefined) return;
  await row('inference', undefined, () => infer(entry, venue, trained.text));
  await trainOn('eurosat');
  if (venue.form.space !== 'nas-bench-201' || method.onTable === undefined) return;
  for (const data of OTHER_TABLES) await row('table', data, () => searchTable(entry, venue, data));
}
