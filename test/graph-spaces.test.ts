import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { json, netsmith, refusedIn } from './support/netsmith.ts';

// The spaces macro, hierarchical and layer-genomes as a user meets them: searched, trained, evaluated, exported and drawn.

const folder = mkdtempSync(join(tmpdir(), 'netsmith-graph-spaces-'));
const TINY = ['--data', 'digits', '--epochs', '1', '--train-samples', '48', '--trials', '2'];
type Trials = readonly { readonly text: string; readonly state: string }[];

const SPACES = [
  {
    space: ['--space', 'macro', '--space-options', 'layers=4,channels=8'],
    constraints: ['--forbid', 'gru', '--require', 'attention', '--fix', 'layers=3', '--max-depth', '40'],
    keeps: /^(?!.*gru)(?=.*attention)[^,]+,[^,]+,[^,]+ \| /u,
  },
  {
    space: ['--space', 'hierarchical', '--space-options', 'motifs=2,nodes=3,cellNodes=3,channels=8'],
    constraints: ['--forbid', 'maxPool3x3', '--require', 'sepConv3x3', '--fix', 'cell:0->2=motif2.1'],
    keeps: /^(?!.*maxPool)(?=.*sepConv).*cell.* 0->2=motif2\.1/u,
  },
] as const;

for (const { space, constraints, keeps } of SPACES) {
  const [, name] = space;
  test(`${name}: searched under constraints, evaluated, exported and drawn`, async () => {
    const dir = join(folder, name);
    await json('search', ...TINY, ...space, ...constraints, '--seed', '3', '--out', dir);
    const trials = (await json('trials', dir)) as Trials;
    assert.equal(trials.length, 2);
    for (const { text, state } of trials) {
      assert.equal(state, 'complete', text);
      assert.match(text, keeps);
    }
    await json('export', dir, '--out', join(folder, `${name}.onnx`));
    await json('report', dir, '--out', join(folder, `${name}.html`));
    assert.match(readFileSync(join(folder, `${name}.html`), 'utf8'), /<svg/u);
    const { out } = await netsmith('show', dir);
    assert.match(out, name === 'macro' ? /attention/u : /sepConv3x3/u);
    await refusedIn(
      folder,
      /has no supernet: how wide an operation is depends on the whole graph/,
      'search',
      ...TINY,
      ...space,
      '--strategy',
      'darts',
      '--out',
      join(folder, 'refused'),
    );
  });
}

test('a member of macro with every kind of layer for images is trained and exported', async () => {
  const layers = [
    'conv3x3:1<-0',
    'maxPool3x3:1<-1',
    'gru:1<-0+2',
    'attention:1<-1&3',
    'sepConv5x5:0.5<-4',
    'dense:1<-3+5',
  ];
  const arch = `${layers.join(', ')} | halving1=middle, activation=silu, pool=max, head=dense64, dropout=0.2`;
  const options = ['--data', 'digits', '--epochs', '1', '--train-samples', '48', '--space', 'macro', '--arch', arch];
  const trained = await json('train', ...options, '--out', join(folder, 'every.onnx'));
  assert.ok(trained !== undefined);
});

test('layer-genomes: searched by layer-neat with two workers, resumed, evaluated, exported and drawn', async () => {
  const dir = join(folder, 'layer-genomes');
  const space = ['--space', 'layer-genomes', '--space-options', 'channels=8', '--max-params', '20000'];
  const strategy = ['--strategy', 'layer-neat', '--strategy-options', 'population=2,addLayer=1'];
  await json('search', ...TINY, ...space, ...strategy, '--workers', '2', '--out', dir);
  await json('resume', dir, '--trials', '4');
  const trials = (await json('trials', dir)) as Trials;
  assert.deepEqual(
    trials.map(({ state, text }) => [state, text.split('=').length - 1]),
    [1, 1, 2, 2].map((layers) => ['complete', layers]),
  );
  await json('evaluate', dir, '--seeds', '1', '--epochs', '1', '--no-baselines');
  await json('export', dir, '--out', join(folder, 'layers.onnx'));
  await json('report', dir, '--out', join(folder, 'layers.html'));
  assert.match(readFileSync(join(folder, 'layers.html'), 'utf8'), /<svg/u);
  const refused = (message: RegExp, ...args: string[]) =>
    refusedIn(folder, message, 'search', ...TINY, ...space, ...args, '--out', join(folder, 'refused'));
  await refused(/has no supernet: its networks are no tree with choices made/, '--strategy', 'darts');
  await refused(/the space has no decisions to describe/, '--limit', 'descriptionLength=9');
});

test('what is no member, and a task without images, are refused', async () => {
  const show = (message: RegExp, ...args: string[]) => refusedIn(folder, message, 'show', ...args);
  await show(/layer 2 is "lstm"; must be one of conv3x3/, '--space', 'macro', '--arch', 'dense:1<-0, lstm:1<-1');
  await show(
    /needs images, \[channels, height, width\]/,
    '--space',
    'hierarchical',
    '--input',
    '13',
    '--outputs',
    '3',
    '--arch',
    'cell 0->4=motif2.1',
  );
});
