import { plural } from '../../src/report/numbers.ts';

/** What all methods of a comparison share; rows of another form are another comparison. */
export interface Form {
  readonly space: string;
  /** Of each search. */
  readonly minutes: number;
  /** Of the networks that searches train. */
  readonly cells: number;
  readonly channels: number;
  readonly supernetEpochs: number;
  /** Of each child that a search trains. */
  readonly childEpochs: number;
  /** Of the network that is trained from scratch at last. */
  readonly finalCells: number;
  readonly finalChannels: number;
  readonly finalEpochs: number;
  readonly eurosatEpochs: number;
  /** Training images; 0: all. */
  readonly trainSamples: number;
  /** Validation images that a search measures on; 0: all. */
  readonly validSamples: number;
  /** The first seeds, with which some methods search on EuroSAT, too. */
  readonly eurosatSeeds: number;
}

/** Spaces with cells that supernets can be made of. */
export const SPACE_NAMES: readonly string[] = ['darts', 'nasnet', 'nas-bench-201'];

export const LONG: Form = {
  ...{ space: 'darts', minutes: 60, cells: 8, channels: 16, supernetEpochs: 50, childEpochs: 10 },
  ...{ finalCells: 8, finalChannels: 16, finalEpochs: 50, eurosatEpochs: 30, trainSamples: 0 },
  ...{ validSamples: 0, eurosatSeeds: 3 },
};

/**
 * For acceptance: about three hours on one core. In this space a supernet is compiled in seconds, a child is trained in about a quarter of a minute,
 * and what is found can also be looked up in the table.
 */
export const SHORT: Form = {
  ...{ space: 'nas-bench-201', minutes: 3, cells: 1, channels: 8, supernetEpochs: 20, childEpochs: 2 },
  ...{ finalCells: 1, finalChannels: 8, finalEpochs: 10, eurosatEpochs: 10, trainSamples: 5000 },
  ...{ validSamples: 2500, eurosatSeeds: 1 },
};

/** Seeds of the two forms. */
export const SEEDS = { long: 3, short: 2 } as const;

/** How children, supernets and final networks are trained alike; in the notation of the command line. */
export const RECIPE =
  '--optimizer sgd --learning-rate 0.025 --momentum 0.9 --weight-decay 0.0003 --clip-norm 5 --batch-size 64 --flip --crop-padding 4';

/** The options of a space of cells. */
export const sizeOptions = (cells: number, channels: number, isSearchForm: boolean): string =>
  `cells=${cells},channels=${channels}${isSearchForm ? ',search=true' : ''}`;

/** For the head of a page. */
export function formText(form: Form): string {
  const images = form.trainSamples === 0 ? 'all training images' : `${form.trainSamples} training images`;
  return (
    `space \`${form.space}\`, ${form.minutes} minutes for each search with ${plural(form.cells, 'cell')} of ${form.channels} channels ` +
    `(supernets ${form.supernetEpochs} epochs, children ${form.childEpochs}), ${form.finalEpochs} epochs for each final training with ` +
    `${plural(form.finalCells, 'cell')} of ${form.finalChannels} channels, ${form.eurosatEpochs} on EuroSAT, ${images}` +
    (form.validSamples === 0 ? '' : `, searches measure on ${form.validSamples} validation images`)
  );
}
