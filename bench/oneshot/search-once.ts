/** One search: a supernet trained for some minutes, and what it finds looked up. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rng } from '../../src/common/random.ts';
import type { SearchData } from '../../src/data/dataset.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { ONE_SHOT } from '../../src/oneshot/index.ts';
import type { Supernet, SupernetRequest } from '../../src/oneshot/supernet.ts';
import { type Architecture, formatArchitecture, nasBench201 } from '../../src/space/index.ts';
import { unlikeFirst } from '../../src/study/confirm.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../src/train/checkpoint.ts';
import { forecastOf } from '../../src/train/preflight.ts';
import { openPrograms } from '../../src/train/programs.ts';
import { someSamples } from '../../src/train/samples.ts';
import { DEFAULT_SETTINGS, type TrainSettings } from '../../src/train/settings.ts';
import { bestByTraining } from './confirm.ts';
import { evolved } from './evolve.ts';
import type { SearchRow } from './rows.ts';
import type { BenchTable } from './table.ts';

type Values = Readonly<Record<string, number | string | boolean>>;

export interface Search {
  readonly engine: Engine;
  readonly data: SearchData;
  readonly table: BenchTable;
  readonly method: keyof typeof ONE_SHOT;
  readonly seed: number;
  readonly minutes: number;
  readonly settings: Values;
  /** Cells to rank, by a method that finds weights. */
  readonly ranked: readonly Architecture[];
  /** The file that the supernet is saved in after each epoch. */
  readonly checkpoint: string;
  readonly resume: boolean;
  say(line: string): void;
}

type Evolved = Awaited<ReturnType<typeof evolved>>;
type Found = Omit<SearchRow, 'method' | 'seed' | 'minutes' | 'changed'>;

/** Validation samples that supernets are measured on after an epoch, and cells with shared weights. */
const VALID_SAMPLES = 1000;
/**
 * Validation samples that each of the fixed cells is measured on, to rank them. Evolution measures on all: it looks for the best of many that
 * are nearly as good, and 4,000 samples have a standard error of 0.8 points.
 */
const RANK_SAMPLES = 4000;
/** Kept of the time for opening, and because steps differ in how long they take. */
const MARGIN = 0.03;

export async function searchOnce(search: Search): Promise<Found> {
  const { engine, data, table, method, seed, minutes, settings, checkpoint: file, resume, say } = search;
  const { cells, channels, search: inSearchForm, resolution, epochSamples: asked, ...others } = settings;
  const { evaluations, confirm, confirmSamples, ...rest } = others;
  const { training, options } = divided(rest);
  const space = nasBench201.create(data.info, {
    ...{ cells: Number(cells), channels: Number(channels) },
    search: inSearchForm === true,
  });
  const valid = someSamples(data.valid, VALID_SAMPLES);
  const requestOf = (epochSamples: number, checkpoint?: Checkpoint): SupernetRequest => ({
    ...{ engine, programs: openPrograms(engine, { keep: 0 }), ...data, valid, space },
    settings: { ...DEFAULT_SETTINGS, ...training, epochSamples },
    resolution: Number(resolution),
    rng: (...labels) => rng(seed, 'supernet', method, ...labels),
    ...(checkpoint && { checkpoint }),
  });
  const open = (request: SupernetRequest): Promise<Supernet> => ONE_SHOT[method].open(request, options);

  const plain = nasBench201.create(data.info, { cells: Number(cells), channels: Number(channels) });
  /** The best by a short training from scratch of the first few; the first of all where none is to be trained. */
  const confirmed = (best: Evolved): Promise<Architecture> =>
    bestByTraining(unlikeFirst(best, Number(confirm)), {
      ...{ engine, data, space: plain, seed, resolution: Number(resolution), say },
      settings: { ...DEFAULT_SETTINGS, ...training, epochs: 1, epochSamples: Number(confirmSamples) },
    });

  const saved = resume && existsSync(file) ? decodeSaved(file) : undefined;
  const epochSamples =
    saved?.epochSamples ?? (asked === undefined ? await plannedSamples(requestOf(0), open, minutes) : Number(asked));
  if (saved === undefined) say(`${method}, seed ${seed}: ${epochSamples} samples in each of ${training.epochs} epochs`);
  const supernet = await open(requestOf(epochSamples, saved?.checkpoint));
  try {
    const seconds = () => supernet.history.reduce((sum, record) => sum + record.seconds, 0);
    while (supernet.history.length < training.epochs && seconds() < 60 * minutes) {
      const { epoch, loss, valid, mixture } = await supernet.epoch();
      save(file, epochSamples, await supernet.checkpoint());
      const now = mixture === undefined ? '' : `, ${accuracyText(table, mixture.genotype)}`;
      say(
        `${method}, seed ${seed}, epoch ${epoch}: loss ${loss.toFixed(3)}, accuracy ${percent(valid.accuracy)}${now}`,
      );
    }
    const text = (architecture: Architecture) => formatArchitecture(table.space, architecture);
    const course = supernet.history.flatMap(({ mixture }) => (mixture ? [text(mixture.genotype)] : []));
    const genotype = supernet.history.at(-1)?.mixture?.genotype;
    const found =
      genotype === undefined
        ? await searched(supernet, search, Number(evaluations), confirmed)
        : { architecture: genotype, architectures: 0, searchSeconds: 0, shared: [] };
    const { architecture, searchSeconds, ...measured } = found;
    rmSync(file, { force: true });
    return {
      ...{ epochs: supernet.history.length, seconds: seconds() + searchSeconds, course, ...measured },
      architecture: text(architecture),
    };
  } finally {
    await supernet.dispose();
  }
}

/**
 * What evolution finds with the weights of the supernet, the best of which are trained from scratch for a short while, and what the fixed cells
 * have with these weights.
 */
async function searched(
  { measurePath }: Supernet,
  { ranked, table, data, seed, say }: Search,
  /** Proposals of evolution, some of them known already. */
  evaluations: number,
  confirmed: (best: Evolved) => Promise<Architecture>,
) {
  if (measurePath === undefined) throw new Error('a supernet without architectures must measure paths');
  const began = performance.now();
  const found = await evolved(measurePath, table.space, data.valid, { seed, evaluations });
  const architecture = await confirmed(found);
  const searchSeconds = (performance.now() - began) / 1000;
  const valid = someSamples(data.valid, RANK_SAMPLES);
  const shared: number[] = [];
  for (const architecture of ranked) {
    shared.push((await measurePath(architecture, valid)).metrics.accuracy ?? Number.NaN);
    if (shared.length % 100 === 0) say(`${shared.length} of ${ranked.length} cells measured`);
  }
  return { architecture, architectures: found.length, searchSeconds, shared };
}

/** Samples of an epoch with which all epochs fit into the minutes. */
async function plannedSamples(
  request: SupernetRequest,
  open: (request: SupernetRequest) => Promise<Supernet>,
  minutes: number,
): Promise<number> {
  const { compileSeconds, sampleSeconds, restSeconds } = await forecastOf(request, open);
  const usable = 60 * minutes * (1 - MARGIN) - compileSeconds;
  const each = usable / request.settings.epochs - restSeconds;
  return Math.max(request.settings.batchSize, Math.floor(each / sampleSeconds));
}

/** The settings of training, and the rest, which are options of the method. */
function divided(values: Values): { readonly training: TrainSettings; readonly options: Values } {
  const isTraining = (name: string) => Object.hasOwn(DEFAULT_SETTINGS, name);
  const entries = Object.entries(values);
  const training = Object.fromEntries(entries.filter(([name]) => isTraining(name)));
  return {
    training: { ...DEFAULT_SETTINGS, ...training },
    options: Object.fromEntries(entries.filter(([name]) => !isTraining(name))),
  };
}

function accuracyText(table: BenchTable, architecture: Architecture): string {
  return `${percent(table.accuracy(architecture))} ${table.column}, ${formatArchitecture(table.space, architecture)}`;
}

const percent = (share = Number.NaN) => `${(100 * share).toFixed(2)} %`;

/** The file is whole at any time: it is written beside its place first. */
function save(file: string, epochSamples: number, checkpoint: Checkpoint): void {
  const head = new Uint8Array(new Float64Array([epochSamples]).buffer);
  writeFileSync(`${file}.new`, Buffer.concat([head, encodeCheckpoint(checkpoint)]));
  renameSync(`${file}.new`, file);
}

function decodeSaved(file: string): { readonly epochSamples: number; readonly checkpoint: Checkpoint } {
  const bytes = Uint8Array.from(readFileSync(file));
  const [epochSamples = 0] = new Float64Array(bytes.slice(0, 8).buffer);
  return { epochSamples, checkpoint: decodeCheckpoint(bytes.slice(8)) };
}
