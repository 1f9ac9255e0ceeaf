import type { Runtime, SessionOptions } from '../../runtime/runtime.ts';
import { createModel } from '../model.ts';

const BLOCKS = [16, 8] as const;

/**
 * The number of channels in a block of this processor's blocked operators: 16 with AVX-512, 8 with AVX2, 0 where there are
 * none (or not in this build). ONNX Runtime does not say; a blocked 1x1 convolution with the wrong block gives wrong numbers.
 */
export async function probeBlock(runtime: Runtime, options: SessionOptions): Promise<number> {
  for (const block of BLOCKS) if (await computesIn(block, runtime, options)) return block;
  return 0;
}

/** Of one pixel with channels 1, 2, 3, ..., filter o is o + 1 for input channel o and 0 for the others. */
async function computesIn(block: number, runtime: Runtime, options: SessionOptions): Promise<boolean> {
  const channels = 2 * block;
  const model = createModel('probe');
  model.input('x', [1, channels, 1, 1]);
  model.input('w', [channels, channels, 1, 1]);
  const attributes = { group: 1, kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  const y = model.node('Conv', ['x', 'w'], attributes, { domain: 'com.microsoft.nchwc' });
  model.output('y', [1, channels, 1, 1], y);
  const filter = new Float32Array(channels * channels);
  for (let o = 0; o < channels; o++) {
    // [O/B, I/B, B (in), B (out)]
    const [outer, inner] = [Math.floor(o / block), o % block];
    filter[((outer * 2 + outer) * block + inner) * block + inner] = o + 1;
  }
  try {
    const session = await runtime.createSession(model.encode(), options);
    try {
      const results = await session.run(
        {
          x: runtime.wrap({
            shape: [1, channels, 1, 1],
            data: Float32Array.from({ length: channels }, (_, c) => c + 1),
          }),
          w: runtime.wrap({ shape: [channels, channels, 1, 1], data: filter }),
        },
        {},
      );
      return results.y?.data?.every((value, o) => value === (o + 1) ** 2) ?? false;
    } finally {
      await session.dispose();
    }
  } catch {
    return false;
  }
}
