import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { rng } from '../../common/random.ts';
import { genomeNetwork } from '../../control/genome-network.ts';
import { createEngine } from '../../engine/create.ts';
import { nodeRuntime } from '../../engine/runtime/node.node.ts';
import type { Genome } from '../../space/genome/genome.ts';
import { type NeatSpace, neatSpace } from '../../space/genome/neat.ts';
import { drawGenome } from '../drawing/genome.ts';
import { exportGenome } from './genome.ts';
import { readModel } from './onnx.ts';

const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
after(() => engine.dispose());

const about = { version: '0', space: 'neat', environment: 'double-pole', training: { fitness: 1 } };

function grown(space: NeatSpace, label: string): Genome {
  let genome: Genome = space.sample(rng(label));
  for (let step = 0; step < 30; step++) {
    const stream = rng(label, step);
    const { addNode, addConnection, perturb } = space.genome;
    const moved = step % 3 === 0 ? addNode(genome, stream) : addConnection(genome, stream);
    genome = space.check(moved ?? perturb(genome, { power: 1, replaced: 0 }, stream));
  }
  return genome;
}

suite('a genome as an ONNX file', () => {
  for (const recurrent of [false, true])
    test(`${recurrent ? 'recurrent, step by step' : 'feed-forward'}: gives what the network gives`, async () => {
      const space = neatSpace('poles', { inputs: 3, outputs: 2, bias: 0.5, recurrent });
      for (const label of ['a', 'b', 'c']) {
        const genome = grown(space, label);
        const { model, metadata } = readModel('the file', exportGenome({ genome, shape: space.shape, about }));
        assert.equal(metadata.architecture, space.format(genome));
        assert.deepEqual(Object.keys(metadata.tensors.states), recurrent ? ['state'] : []);
        const program = await engine.load(model);
        const network = genomeNetwork(genome, space.shape);
        const size = metadata.tensors.states.state?.shape[0] ?? 0;
        let state = new Float32Array(size);
        for (let step = 0; step < 6; step++) {
          const input = Float32Array.from({ length: 3 }, (_, i) => rng(label, step, i).normal());
          const fed = {
            input: { shape: [1, 3], data: input },
            ...(recurrent && { state: { shape: [1, size], data: state } }),
          };
          const results = await program.run(fed);
          const expected = network.activate(input);
          for (const [i, value] of [...(results.output?.data ?? [])].entries())
            assert.ok(Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-5, `step ${step}, output ${i}`);
          assert.equal(results.output?.data.length, 2);
          state = Float32Array.from(results['next:state']?.data ?? []);
        }
        await program.dispose();
      }
    });
});

test('the drawing names inputs and outputs, shows weights, and draws disabled connections dashed', async () => {
  const space = neatSpace('poles', { inputs: 2, outputs: 1, recurrent: true });
  const split = space.check(space.genome.addNode(space.sample(rng('drawn')), rng('drawn')));
  const svg = await drawGenome(split, space.shape, { title: 'Poles', inputs: ['x', 'angle'], outputs: ['force'] });
  for (const text of ['>x<', '>angle<', '>force<', '>bias 1<', '>1.00<', 'aria-label="Poles"', 'stroke-dasharray'])
    assert.ok(svg.includes(text), text);
  const plain = await drawGenome(space.sample(rng('drawn')), space.shape);
  assert.ok(plain.includes('>input 0<') && !plain.includes('stroke-dasharray'));
});
