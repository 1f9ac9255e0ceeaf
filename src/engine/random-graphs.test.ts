/** Random networks and their gradients in each layout against the interpreter. */
import assert from 'node:assert/strict';
import { interpret } from '../graph/interpret.ts';
import { optimizeForward } from '../graph/passes.ts';
import { imageFeeds, randomImages } from '../graph/testing/images.ts';
import { forwardOf, withGradients } from '../graph/testing/networks.ts';
import { toFloat32 } from './testing/agreement.ts';
import { layoutsUnderTest, testLayouts } from './testing/layouts.ts';

const SEEDS = 60;

const layouts = await layoutsUnderTest();

for (let seed = 0; seed < SEEDS; seed++) {
  testLayouts(layouts, `random network of seed ${seed}, and gradients`, async ({ engine, channels }) => {
    const { image, network } = randomImages(seed, channels);
    const forward = forwardOf(network, image);
    const whole = withGradients(forward);
    const feeds = imageFeeds(whole, seed);
    const expected = interpret(whole, feeds);
    // As a training step is made.
    const program = await engine.compile(withGradients(optimizeForward(forward)));
    const actual = await program.run(toFloat32(feeds));
    await program.dispose();
    // A gradient that is zero by construction (a bias before batch norm) has no scale of its own.
    const scale = Math.max(...Object.values(expected).map(({ data }) => norm(data)));
    for (const [name, { data }] of Object.entries(expected)) {
      // An input that the passes find to be of no account has a gradient of zero.
      const found = actual[name]?.data ?? new Float32Array(data.length);
      const difference = norm(data.map((v, i) => v - (found[i] ?? Number.NaN)));
      const error = difference / (Math.max(norm(data), 1e-2 * scale) || 1);
      assert.ok(error < 1e-3, `seed ${seed}: ${name} differs by ${error}`);
    }
  });
}

const norm = (values: Float64Array) => Math.hypot(...values);
