/** What the spaces for images share. */
import { UserError } from '../../../common/errors.ts';
import type { Task } from '../../space.ts';
import { pick } from '../../tree/builders.ts';
import type { Value } from '../../tree/module.ts';

export interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** The size of the task's images; throws UserError when it has none. */
export function imageOf(task: Task): ImageSize {
  const [channels, height, width] = task.input;
  if (channels === undefined || height === undefined || width === undefined) {
    throw new UserError(`input is [${task.input.join(', ')}]; needs images, [channels, height, width]`);
  }
  return { channels, height, width };
}

/** Sides above this are halved before the first stage, so that a large image costs about what a small one does. */
const LARGEST = 48;
/** Below this the stages do not shrink a side further. */
const SMALLEST = 4;

export interface Reductions {
  /** How often to halve before the first stage. */
  readonly stem: number;
  /** The stride at the entrance of each stage: 1 or 2. */
  readonly stages: readonly (1 | 2)[];
}

/** How often and where to halve an image on its way through `stages` stages. */
export function reductions({ height, width }: ImageSize, stages: number): Reductions {
  let stem = 0;
  for (let large = Math.max(height, width); large > LARGEST; large = Math.ceil(large / 2)) stem++;
  let side = Math.min(height, width);
  for (let i = 0; i < stem; i++) side = Math.ceil(side / 2);
  const strides = Array.from({ length: stages }, (_, i): 1 | 2 => {
    if (i === 0 || Math.floor(side / 2) < SMALLEST) return 1;
    side = Math.floor(side / 2);
    return 2;
  });
  return { stem, stages: strides };
}

/** Strides of a network for large images: as they are where the image is large enough; the earliest are 1 where it is small, so that 4 pixels remain. */
export function stridesFor({ height, width }: ImageSize, strides: readonly (1 | 2)[]): readonly (1 | 2)[] {
  let halvings = 0;
  for (let side = Math.ceil(Math.min(height, width) / 2); side >= SMALLEST; side = Math.ceil(side / 2)) halvings++;
  let left = strides.filter((stride) => stride === 2).length - halvings;
  return strides.map((stride) => (stride === 2 && left-- > 0 ? 1 : stride));
}

/** A value, or a choice between several. */
export const openIfSeveral = (name: string, values: readonly number[]): Value<number> =>
  values.length > 1 ? pick(name, values) : (values[0] ?? 1);

/** In rising order. */
export const distinct = (numbers: readonly number[]): readonly number[] =>
  [...new Set(numbers)].toSorted((a, b) => a - b);
