/** `netsmith predict` on many inputs, and what names from outside do to a terminal. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { exportOnnx } from '../src/report/export/onnx.ts';
import { imageInfo, trainedWeights } from '../src/report/testing/trained.ts';
import * as s from '../src/space/tree/builders.ts';
import { createOutput, safeStreams, table } from '../src/terminal/output.ts';
import { netsmith } from './support/netsmith.ts';

let dir = '';
let model = '';
const hostile = '\u001b[2Jcat\n\u202egpj.png';
const labels = ['\u001b]0;owned\u0007', 'plain', 'line\nbreak', '猫'];
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'netsmith-predict-cli-'));
  const network = s.sequential(s.flatten(), s.linear('outputs'));
  const info = imageInfo([3, 4, 4], { labels });
  const about = { version: '0.0.0', space: 'test', architecture: 'a=1', training: {} };
  model = join(dir, 'model.onnx');
  await writeFile(model, exportOnnx({ network, info, weights: trainedWeights(network, info), about }));
  for (const [i, name] of ['a.png', 'b.png', 'c.png', 'd.png', hostile].entries()) {
    const background = { r: 60 * i, g: 255 - 50 * i, b: (90 * i) % 256 };
    await sharp({ create: { width: 5, height: 5, channels: 3, background } })
      .png()
      .toFile(join(dir, name));
  }
  await writeFile(join(dir, 'broken.png'), 'no image');
});
after(() => rm(dir, { recursive: true, force: true }));

test('one bad item among many: the others are answered, exit code 1; with none answered, 2', async () => {
  const [good, bad, absent] = ['a.png', 'broken.png', 'absent.png'].map((name) => join(dir, name));
  assert.ok(good && bad && absent);
  const all = await netsmith('predict', model, good);
  assert.deepEqual([all.code, all.err], [0, '']);
  const some = await netsmith('predict', model, good, bad, absent);
  assert.equal(some.code, 1);
  assert.equal(some.out.trimEnd().split('\n').length, 2);
  assert.match(
    some.err,
    /^netsmith: .*broken\.png: .*decoded.*\nnetsmith: .*absent\.png: file not found\nNo prediction for 2 of 3\.\n$/,
  );
  const json = await netsmith('predict', model, bad, good, '--json');
  assert.equal(json.code, 1);
  const [first, second] = JSON.parse(json.out);
  assert.deepEqual([first.file, typeof first.error, second.file], [bad, 'string', good]);
  assert.deepEqual(Object.keys(second.probabilities), labels);
  const none = await netsmith('predict', model, absent);
  assert.deepEqual([none.code, none.out, none.err], [2, '', `netsmith: ${absent}: file not found\n`]);
  const noneJson = await netsmith('predict', model, absent, '--json');
  assert.deepEqual([noneJson.code, JSON.parse(noneJson.out)], [2, [{ file: absent, error: 'file not found' }]]);
});

/** All but line breaks and printable characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;

test('names of files and classes cannot steer a terminal, in answers, errors and help', async () => {
  const calls = [
    ['predict', model, dir],
    ['predict', model, join(dir, hostile)],
    ['predict', model, join(dir, hostile), '--json'],
    ['predict', model, join(dir, `absent ${hostile}`)],
    ['predict', join(dir, hostile), model],
    ['predict', model, model, `--${hostile}`],
    [hostile],
    ['status', hostile],
    ['search', '--data', hostile],
    ['search', '--space', hostile],
  ];
  for (const call of calls) {
    const { out, err } = await netsmith(...call);
    assert.doesNotMatch(out + err, STEERING, call.join(' '));
  }
  const { out } = await netsmith('predict', model, join(dir, hostile));
  assert.equal(out.trimEnd().split('\n').length, 2, 'a line break in a name does not make another row');
  const json = await netsmith('predict', model, join(dir, hostile), '--json');
  const [only] = JSON.parse(json.out);
  assert.deepEqual([only.file, Object.keys(only.probabilities)], [join(dir, hostile), labels], 'JSON keeps the value');
});

test('JSON shows what steers a terminal as escapes, and its values stay', () => {
  let out = '';
  const streams = safeStreams({ out: (text) => (out += text), err: () => {}, terminal: false });
  const value = { name: `${hostile}\u009b2J\u2028\u007f\ud800`, '\u0085': '"\\' };
  createOutput(streams, { json: true }).result(value, '');
  assert.doesNotMatch(out, STEERING);
  assert.deepEqual(JSON.parse(out), value);
});

test('columns line up by what a terminal shows; 200,000 rows fit', () => {
  const text = table(
    ['name', 'n'],
    [
      ['猫猫', 1],
      ['e\u0301a', 22],
      ['a\nb', 3],
    ],
  );
  assert.deepEqual(text.split('\n'), ['name       n', '猫猫       1', 'e\u0301a        22', 'a\\u000ab   3']);
  const rows = Array.from({ length: 200_000 }, (_, i) => [i]);
  assert.equal(table(['n'], rows).split('\n').length, 200_001);
});
