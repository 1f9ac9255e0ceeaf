/** Parsers of what Netsmith itself writes and others may send: studies, exported models. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../../../src/common/errors.ts';
import type { Rng } from '../../../src/common/random.ts';
import { createEngine } from '../../../src/engine/create.ts';
import { nodeRuntime } from '../../../src/engine/runtime/node.node.ts';
import { exportOnnx } from '../../../src/report/export/onnx.ts';
import { sealModel } from '../../../src/report/export/seal.node.ts';
import { predictFiles } from '../../../src/report/predict.node.ts';
import { imageInfo, trainedWeights } from '../../../src/report/testing/trained.ts';
import * as s from '../../../src/space/tree/builders.ts';
import { damage, readingOf, settle } from '../../../test/support/damage.ts';
import { damageModel, forgeModel } from '../../../test/support/damage-model.ts';
import { json } from '../../../test/support/netsmith.ts';
import type { Parser } from '../parser.ts';

/** A damaged study is refused or gives the original values; they may differ only where the damage recomputed the checksums. */
export const studies: Parser = {
  name: 'studies',
  weight: 1,
  async open(scratch) {
    const original = join(scratch, 'original');
    await json('search', '--benchmark', 'nas-bench-201', '--trials', '5', '--out', original);
    await json('evaluate', original);
    const whole = await readingOf(original);
    const room = join(scratch, 'room');
    const dir = join(room, 'study');
    return (random: Rng) => {
      const seed = random.int(2 ** 31);
      return {
        text: `damage(dir, ${seed})`,
        async read() {
          rmSync(room, { recursive: true, force: true });
          mkdirSync(room);
          writeFileSync(join(room, 'victim'), 'mine');
          cpSync(original, dir, { recursive: true });
          const what = damage(dir, seed);
          const found = await readingOf(dir);
          await settle(dir);
          const outside = readdirSync(room).sort().join();
          if (outside !== 'study,victim' || readFileSync(join(room, 'victim'), 'utf8') !== 'mine')
            throw new Error(`${what}: something was written outside: ${outside}`);
          if (found.startsWith('refused')) throw new UserError(found);
          // An evaluation that is gone is as one that was never made.
          const isLess =
            found.split('\n', 4).join() === whole.split('\n', 4).join() && found.endsWith('"no evaluation"');
          if (found !== whole && !isLess && !what.startsWith('signed'))
            throw new Error(`${what}: read as something else: ${found}`);
          return found;
        },
      };
    };
  },
};

/** A damaged model is refused or answers as before; an edited one is refused or answers within the rules. */
export const models: Parser = {
  name: 'ONNX metadata',
  weight: 9,
  async open(scratch) {
    const engine = await createEngine(nodeRuntime(), { device: 'cpu', threads: 1 });
    const image = join(scratch, 'image.png');
    await sharp({ create: { width: 9, height: 7, channels: 3, background: '#ac3' } }).toFile(image);
    const network = s.sequential(
      ...[s.conv(4, 3), s.batchNorm(), s.relu(), s.maxPool(2, { stride: 2 }), s.conv(4, 3, { bias: true })],
      ...[s.activation('silu'), s.flatten(), s.linear('outputs')],
    );
    const info = imageInfo([3, 6, 6]);
    const about = { version: '0.0.0', space: 'test', architecture: 'a=1', training: {} };
    const plain = exportOnnx({ network, info, weights: trainedWeights(network, info), about });
    const sealed = sealModel(plain);
    const file = join(scratch, 'model.onnx');
    const answersOf = async (bytes: Uint8Array) => {
      writeFileSync(file, bytes);
      return JSON.stringify((await predictFiles(engine, file, [image])).predictions);
    };
    const expected = await answersOf(sealed);
    return (random: Rng) => {
      const isAccident = random.int(2) === 0;
      const bytes = isAccident ? damageModel(sealed, random) : forgeModel(plain, random);
      return {
        text: Buffer.from(bytes).toString('base64'),
        async read() {
          const found = await answersOf(bytes);
          if (isAccident && found !== expected) throw new Error(`a damaged model answers otherwise: ${found}`);
          if (!/"class":|"error":|"values":/.test(found) || /null/.test(found))
            throw new Error(`an answer against the rules: ${found}`);
          return found;
        },
      };
    };
  },
};
