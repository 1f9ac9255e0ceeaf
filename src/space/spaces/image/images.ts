/** What the spaces for images share. */
import { UserError } from '../../../common/errors.ts';
import type { Task } from '../../space.ts';

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
