import type { Rng } from '../common/random.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import type { Initializer, Parameter } from './network.ts';

/**
 * Fresh values of parameters or statistics, by path. Each tensor draws from its own stream, named by its path, so
 * that networks which share a layer start it alike.
 */
export function initialize(
  parameters: readonly Parameter[],
  rng: (...labels: readonly string[]) => Rng,
): Record<string, HostTensor> {
  return Object.fromEntries(
    parameters.map(({ path, shape, initializer }) => {
      const data = new Float32Array(sizeOf(shape));
      fill(data, initializer, () => rng('initialise', path));
      return [path, { shape, data }];
    }),
  );
}

function fill(data: Float32Array, initializer: Initializer, stream: () => Rng): void {
  switch (initializer.kind) {
    case 'constant':
      data.fill(initializer.value);
      return;
    case 'heNormal': {
      const random = stream();
      const deviation = Math.sqrt(2 / initializer.fan);
      for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
      return;
    }
    case 'normal': {
      const random = stream();
      for (let i = 0; i < data.length; i++) data[i] = initializer.deviation * random.normal();
      return;
    }
    case 'uniform': {
      const random = stream();
      for (let i = 0; i < data.length; i++) data[i] = initializer.limit * (2 * random.float() - 1);
      return;
    }
    case 'glorotUniform': {
      const random = stream();
      const limit = Math.sqrt(6 / (initializer.fanIn + initializer.fanOut));
      for (let i = 0; i < data.length; i++) data[i] = limit * (2 * random.float() - 1);
    }
  }
}
