/** A method with one seed: its steps in their order, without those that have a row. */
import { type Data, keyOf, type Row, type TrainRow } from './rows.ts';
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
  const row = async (
    step: Row['step'],
    of: { readonly data?: string; readonly found?: Data },
    doIt: () => Promise<Row>,
  ): Promise<Row> => {
    const found = done.get(keyOf({ step, method: method.name, seed, ...of }));
    if (found !== undefined) return found;
    const made = await doIt();
    add(made);
    return made;
  };
  /** What a search finds there; undefined: the method has no search; null: it found nothing. */
  const searchOn = async (data: Data): Promise<string | null | undefined> => {
    if (method.search === undefined) return undefined;
    const searched = await row('search', { data }, () => search(entry, venue, data));
    return searched.step === 'search' ? searched.text : undefined;
  };
  const trainOn = async (data: Data, found: Data, text: string | undefined) =>
    (await row('train', { data, found }, () => train(entry, venue, { data, found, text }))) as TrainRow;

  const text = await searchOn('cifar-10');
  if (text === null) return;
  const trained = await trainOn('cifar-10', 'cifar-10', text);
  if (trained.reason !== undefined) return;
  await row('inference', {}, () => infer(entry, venue, trained.text));
  await trainOn('eurosat', method.search === undefined ? 'eurosat' : 'cifar-10', text);
  if (method.isSearchedAgain && seed < venue.form.eurosatSeeds) {
    const there = await searchOn('eurosat');
    if (typeof there === 'string') await trainOn('eurosat', 'eurosat', there);
  }
  if (venue.form.space !== 'nas-bench-201' || method.onTable === undefined) return;
  for (const data of OTHER_TABLES) await row('table', { data }, () => searchTable(entry, venue, data));
}
