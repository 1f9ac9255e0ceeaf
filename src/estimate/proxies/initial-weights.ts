/** The weights that proxies look at. */
import type { Rng } from '../../common/random.ts';
import { type HostTensor, sizeOf } from '../../graph/ir.ts';
import { initialize } from '../../network/initialize.ts';
import type { Parameter } from '../../network/network.ts';

type Stream = (...labels: readonly string[]) => Rng;

/**
 * PyTorch's default, with which the published numbers were taken: filters and matrices uniform in ±1 / sqrt(fan-in) (He et al. 2015 with
 * a = sqrt(5)). Differs: biases are 0. Each tensor draws from a stream that its path names, so networks that share a layer have it alike.
 */
export function torchWeights(parameters: readonly Parameter[], rng: Stream): Record<string, HostTensor> {
  return drawn(parameters, rng, (random, fanIn) => (2 * random.float() - 1) / Math.sqrt(fanIn));
}

/** Standard normal filters and matrices, as Zen-score takes them (Lin et al. 2021). */
export function normalWeights(parameters: readonly Parameter[], rng: Stream): Record<string, HostTensor> {
  return drawn(parameters, rng, (random) => random.normal());
}

function drawn(
  parameters: readonly Parameter[],
  rng: Stream,
  draw: (random: Rng, fanIn: number) => number,
): Record<string, HostTensor> {
  const [constant, random] = [true, false].map((wanted) =>
    parameters.filter(({ initializer }) => (initializer.kind === 'constant') === wanted),
  );
  const own = (random ?? []).map(({ path, shape }) => {
    const stream = rng('weights', path);
    const fanIn = sizeOf(shape.slice(1));
    return [path, { shape, data: Float32Array.from({ length: sizeOf(shape) }, () => draw(stream, fanIn)) }] as const;
  });
  return { ...initialize(constant ?? [], rng), ...Object.fromEntries(own) };
}
