import type { Rng } from '../common/random.ts';
import type { DatasetInfo } from '../data/dataset.ts';
import { sizeOf } from '../graph/ir.ts';
import type { Arrays, TensorSpec } from '../task/spec.ts';
import { rowsOf } from '../task/spec.ts';
import type { TaskDefinition } from '../task/task.ts';
import { cutout, type ImageShape, mirror, randomShift, shift, type Values } from './augment.ts';
import type { TrainSettings } from './settings.ts';

/** A tensor that crops and flips move. */
interface Moved {
  readonly name: string;
  readonly shape: ImageShape;
  /** What stands where nothing of it is left. */
  readonly fill: number;
  readonly scratch: Values;
}

/**
 * Augments raw samples in place, one after another: crops and flips move the image and the targets that lie on its grid
 * together, cutout blanks the image alone, then the task's own augmentation follows.
 */
export function augmentation(
  task: TaskDefinition,
  info: DatasetInfo,
  settings: Pick<TrainSettings, 'cropPadding' | 'flip' | 'cutout'>,
): (samples: Arrays, count: number, random: Rng) => void {
  const { inputs, targets } = task.spec(info);
  const specs = { ...inputs, ...targets };
  const image = Object.entries(inputs).find(([, { axes }]) => axes.join() === 'channel,height,width');
  const follows = Object.entries(task.aligned ?? {});
  const aligned = follows.flatMap(([name, fill]) => (targets[name] ? [{ name, fill, spec: targets[name] }] : []));
  const moved: Moved[] =
    image === undefined ? [] : [{ name: image[0], fill: 0, spec: image[1] }, ...aligned].map(movedOf);
  const [first] = moved;
  const own = task.augment;
  const wanted = settings.cropPadding > 0 || settings.flip || settings.cutout > 0;

  function one(samples: Arrays, i: number, random: Rng): void {
    const parts = moved.map(({ name, ...rest }) => ({ ...rest, values: sampleOf(samples, name, i) }));
    if (settings.cropPadding > 0) {
      const [dx, dy] = randomShift(settings.cropPadding, random);
      for (const { values, scratch, shape, fill } of parts) shift(values, scratch, shape, dx, dy, fill);
    }
    if (settings.flip && random.float() < 0.5) for (const { values, shape } of parts) mirror(values, shape);
    const [picture] = parts;
    if (settings.cutout > 0 && picture !== undefined)
      cutout(picture.values, picture.shape, settings.cutout, info.mean, random);
  }
  function sampleOf(samples: Arrays, name: string, i: number): Values {
    const size = sizeOf(specs[name]?.shape ?? []);
    return samples[name]?.subarray(i * size, (i + 1) * size) ?? new Float32Array();
  }

  return (samples, count, random) => {
    for (let i = 0; i < count; i++) {
      if (wanted && first !== undefined) one(samples, i, random);
      own?.(rowsOf(samples, specs, i, 1), random, info);
    }
  };
}

function movedOf({ name, fill, spec }: { name: string; fill: number; spec: TensorSpec }): Moved {
  const [width = 1, height = 1, channels = 1] = spec.shape.toReversed();
  const size = sizeOf(spec.shape);
  const scratch = spec.dtype === 'int32' ? new Int32Array(size) : new Float32Array(size);
  return { name, fill, shape: [channels, height, width], scratch };
}
