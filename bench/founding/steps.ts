/** The steps of a comparison, each by a command of Netsmith in a process of its own. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finished, runPinned } from '../user/process.ts';
import { BIN } from '../user/score.ts';
import { type Form, RECIPE, sizeOptions } from './form.ts';
import type { InferenceOrder, InferenceResult } from './inference.ts';
import type { Method } from './methods.ts';
import type { Data, InferenceRow, SearchRow, TableRow, TrainRow } from './rows.ts';

export interface Venue {
  readonly form: Form;
  /** The folder with cifar-10-batches-bin and eurosat-small. */
  readonly shared: string;
  /** Where studies lie. */
  readonly work: string;
  readonly core: number;
  readonly threads: number;
}

/** One method with one seed. */
export interface Entry {
  readonly method: Method;
  readonly seed: number;
}

/** What `netsmith search --json` prints; `best` is null where no trial is complete. */
interface Searched {
  readonly trials: number;
  readonly best: { readonly text: string } | null;
}

/** What `netsmith status --json` prints. */
interface Status {
  readonly searchSeconds: number;
  readonly supernet: { readonly curve: readonly { readonly mixture?: { readonly genotype: unknown } }[] } | null;
}

interface Trained extends Pick<TrainRow, 'architecture' | 'text' | 'params' | 'flops' | 'test'> {
  readonly epochs: readonly { readonly valid: TrainRow['valid'] }[];
}

/** The options of the space that a method searches in. */
export function searchOptions({ isOneShot = false, samples = false }: Method, form: Form): string {
  return sizeOptions(form.cells, form.channels, isOneShot && !(samples && form.space === 'darts'));
}

/** What the rows of a method and seed have in common. */
const about = ({ form }: Venue, { method, seed }: Entry) => ({ form, method: method.name, seed });

const spent = ({ seconds, cpuSeconds }: Finished) => ({ seconds: rounded(seconds), cpuSeconds: rounded(cpuSeconds) });

/** Searches, or continues a search that was stopped. */
export async function search(entry: Entry, venue: Venue, data: Data): Promise<SearchRow> {
  const { form, work, threads } = venue;
  const { method, seed } = entry;
  const folder = join(work, `${method.name}-${seed}${data === 'cifar-10' ? '' : `-${data}`}`);
  const isBegun = existsSync(join(folder, 'study.db'));
  if (!isBegun) rmSync(folder, { recursive: true, force: true });
  const size = searchOptions(method, form);
  const oneShot = method.isOneShot ? ['--supernet-epochs', String(form.supernetEpochs)] : [];
  const args = isBegun
    ? ['resume', folder, '--json', '--quiet']
    : [
        ...[
          'search',
          '--json',
          '--quiet',
          '--out',
          folder,
          ...source(venue, data),
          ...(method.search ?? []),
          ...oneShot,
        ],
        ...['--space', form.space, '--space-options', size, ...RECIPE.split(' ')],
        ...(form.validSamples === 0 ? [] : ['--valid-samples', String(form.validSamples)]),
        ...['--time', `${Math.round(60 * form.minutes)}s`, '--epochs', String(form.childEpochs)],
        ...['--seed', String(seed), '--workers', '1', '--threads', String(threads)],
      ];
  const finished = await command(args, venue, 4 * 60 * form.minutes + 600);
  const row = {
    ...{ step: 'search' as const, data, ...about(venue, entry), ...spent(finished) },
    ...{ peakMiB: Math.round(finished.peakMiB), ...(isBegun && { resumed: true as const }) },
  };
  // A search that ends without a complete trial prints its result, too, and has the exit code 1.
  const hasResult = finished.code === 0 || (finished.code === 1 && finished.stdout !== '');
  if (!hasResult) return { ...row, trials: 0, text: null, reason: whyOf(finished) };
  const { trials, best } = JSON.parse(finished.stdout) as Searched;
  const { supernet, searchSeconds } = await statusOf(folder, venue);
  // The time of all processes that worked at it; a search that was not stopped took that of its command.
  const whole = { ...row, trials, ...(isBegun && { seconds: rounded(searchSeconds) }) };
  if (best !== null) return { ...whole, text: best.text };
  // The supernet is trained, and what it derives was not in the time.
  const genotype = supernet?.curve.at(-1)?.mixture?.genotype;
  if (genotype !== undefined) return { ...whole, text: JSON.stringify(genotype) };
  return { ...whole, text: null, reason: 'no architecture was found in the time' };
}

async function statusOf(folder: string, venue: Venue): Promise<Status> {
  const finished = await command(['status', folder, '--json'], venue, 120);
  if (finished.code !== 0) throw new Error(whyOf(finished));
  return JSON.parse(finished.stdout) as Status;
}

/** Trains a network from scratch, and opens the test split once, at its end. */
export async function train(
  entry: Entry,
  venue: Venue,
  { data, found, text }: Pick<TrainRow, 'data' | 'found'> & { readonly text: string | undefined },
): Promise<TrainRow> {
  const { form, threads } = venue;
  const { method, seed } = entry;
  const { space, options } = networkOf(method, form);
  const epochs = data === 'cifar-10' ? form.finalEpochs : form.eurosatEpochs;
  const finished = await command(
    [
      ...['train', '--json', '--quiet', '--test', ...source(venue, data), '--space', space, '--space-options', options],
      ...(text === undefined ? [] : ['--arch', text]),
      ...[...RECIPE.split(' '), '--epochs', String(epochs), '--seed', String(seed), '--threads', String(threads)],
    ],
    venue,
    Number.POSITIVE_INFINITY,
  );
  const row = { step: 'train' as const, ...about(venue, entry), ...spent(finished), data, found };
  const none = { params: 0, flops: 0, architecture: {}, text: text ?? '', valid: {}, test: {} };
  if (finished.code !== 0) return { ...row, ...none, reason: whyOf(finished) };
  const { params, flops, architecture, test, ...trained } = JSON.parse(finished.stdout) as Trained;
  return { ...row, params, flops, architecture, text: trained.text, valid: trained.epochs.at(-1)?.valid ?? {}, test };
}

/** Times the exported network: its weights do not matter for that, so they are random ones. */
export async function infer(entry: Entry, venue: Venue, text: string): Promise<InferenceRow> {
  const { space, options } = networkOf(entry.method, venue.form);
  const order: InferenceOrder = { space, options, text };
  const file = join(import.meta.dirname, 'inference.ts');
  const args = ['--conditions=netsmith-source', file, JSON.stringify(order)];
  const finished = await runPinned(bound(args), venue.core, 600);
  const row = { step: 'inference' as const, ...about(venue, entry), ...spent(finished) };
  if (finished.code !== 0) return { ...row, milliseconds: 0, mebibytes: 0, reason: whyOf(finished) };
  return { ...row, ...(JSON.parse(finished.stdout) as InferenceResult) };
}

/** Searches the table of another data set with the strategy of the method. */
export async function searchTable(entry: Entry, venue: Venue, data: TableRow['data']): Promise<TableRow> {
  const { method, seed } = entry;
  const folder = join(venue.work, `${method.name}-${seed}-${data}`);
  rmSync(folder, { recursive: true, force: true });
  const finished = await command(
    [
      ...['search', '--json', '--quiet', '--out', folder, '--benchmark', 'nas-bench-201', '--data', data],
      ...['--strategy', method.onTable ?? method.name, '--trials', String(TABLE_TRIALS), '--seed', String(seed)],
    ],
    venue,
    600,
  );
  const row = { step: 'table' as const, ...about(venue, entry), ...spent(finished), data };
  if (finished.code !== 0) return { ...row, text: null, reason: whyOf(finished) };
  const { best } = JSON.parse(finished.stdout) as { readonly best: { readonly text: string } | null };
  return { ...row, text: best?.text ?? null };
}

/** Of a search on a table; those of the other data sets have no training times. */
export const TABLE_TRIALS = 100;

function networkOf({ network }: Method, form: Form): { readonly space: string; readonly options: string } {
  return network ?? { space: form.space, options: sizeOptions(form.finalCells, form.finalChannels, false) };
}

/** The flags of a data set. */
function source({ shared, form }: Venue, data: Data): readonly string[] {
  const few = form.trainSamples === 0 ? [] : ['--train-samples', String(form.trainSamples)];
  return data === 'cifar-10'
    ? ['--data', 'cifar-10', '--data-dir', join(shared, 'cifar-10-batches-bin'), ...few]
    : ['--data', 'image-folder', '--data-dir', join(shared, 'eurosat-small'), '--image-size', '32', ...few];
}

/** A file with settings in the current folder must not change the comparison. */
function command(args: readonly string[], { core, work }: Venue, limitSeconds: number): Promise<Finished> {
  mkdirSync(work, { recursive: true });
  const config = join(work, 'none.json');
  writeFileSync(config, '{}');
  const isSetting = args[0] === 'search' || args[0] === 'train';
  // `densenet.ts` imports `netsmith`, which must be the source that the command runs.
  const all = ['--conditions=netsmith-source', BIN, ...args, ...(isSetting ? ['--config', config] : [])];
  return runPinned(bound(all), core, limitSeconds);
}

/** Node with these arguments, which is killed where the bench dies without a word (`kill -9`): --resume needs its study. */
function bound(args: readonly string[]) {
  return { command: 'setpriv', args: ['--pdeathsig', 'KILL', process.execPath, ...args] };
}

function whyOf({ code, isOverdue, seconds, stderr }: Finished): string {
  if (isOverdue) return `killed after ${Math.round(seconds)} s`;
  return `exit code ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`;
}

const rounded = (value: number) => Math.round(value * 10) / 10;
