import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { json, refusedIn } from './support/netsmith.ts';

const LIBRARY = pathToFileURL(join(import.meta.dirname, '..', 'src', 'space', 'index.ts')).href;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'netsmith-own-space-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** A file as a user would write it; the definition begins in line 3. */
function fileOf(source: string): string {
  const path = join(folder, `space-${files++}.ts`);
  writeFileSync(
    path,
    `import * as n from '${LIBRARY}';\nconst { defineSpace, sequential, conv, linear, globalAvgPool, pick, relu, flatten } = n;\n${source}\n`,
  );
  return path;
}

/** `define` a space that returns this. */
const returning = (expression: string) => `export const mine = defineSpace('mine', () =>\n  ${expression});`;

const wrong: readonly (readonly [what: string, source: string, expected: RegExp])[] = [
  [
    'linear before pooling',
    returning(`sequential(conv(8, 3), linear(16), globalAvgPool(), linear('outputs'))`),
    /space "mine": sequential\[1\]\.linear gets an image; it needs a vector: add globalAvgPool/,
  ],
  [
    'a convolution after pooling',
    returning(`sequential(globalAvgPool(), conv(8, 3), linear('outputs'))`),
    /space "mine": sequential\[1\]\.conv gets a vector; it needs images/,
  ],
  [
    'linear before pooling in a repeat',
    returning(`sequential(n.repeat(pick('d', [1, 2]), sequential(conv(8, 3), linear(4))), linear('outputs'))`),
    /sequential\[0\]\.repeat\.sequential\[1\]\.linear gets an image/,
  ],
  [
    'no option that fits',
    returning(`sequential(n.choice('op', { a: linear(4), b: linear(8) }), flatten(), linear('outputs'))`),
    /sequential\[0\]\.choice "op" a\.linear gets an image/,
  ],
  [
    'no pooling at all',
    returning(`sequential(conv(8, 3), relu())`),
    /sequential ends in an image; a network ends in one number for each output/,
  ],
  [
    'branches of image and vector',
    returning(`sequential(n.residual(globalAvgPool()), linear('outputs'))`),
    /sequential\[0\]\.residual combines images and vectors/,
  ],
  [
    'branches of different widths',
    returning(`sequential(n.residual(conv(pick('w', [8, 16]), 3)), globalAvgPool(), linear('outputs'))`),
    /space "mine": none of 24 random architectures can be built: network 0 \(residual\): .* meet; what is added must have one shape \(in w=\d+\)/,
  ],
  [
    'an output of another size',
    returning(`sequential(globalAvgPool(), linear(7))`),
    /none of 24 random architectures can be built: network: its output is \[1,7\]; it must be \[1, 10\]/,
  ],
  [
    'groups that do not divide',
    returning(`sequential(conv(9, 3, { groups: 2 }), globalAvgPool(), linear('outputs'))`),
    /network 0 \(conv\): 1 channels in, 9 out, 2 groups; groups must divide both/,
  ],
  [
    'an array',
    returning(`[conv(8, 3), globalAvgPool(), linear('outputs')]`),
    /space "mine": the definition returned a list of 3; it must return one module/,
  ],
  [
    'an object',
    returning(`({ layers: [conv(8, 3)] })`),
    /the definition returned an object with layers; it must return one module/,
  ],
  [
    'nothing',
    `export const mine = defineSpace('mine', () => { sequential(globalAvgPool()); });`,
    /the definition returned undefined; it must return one module/,
  ],
  [
    'a promise',
    `export const mine = defineSpace('mine', async () => sequential(globalAvgPool()));`,
    /the definition returned a promise/,
  ],
  [
    'a builder that was not called',
    returning(`sequential(conv(8, 3), relu, globalAvgPool(), linear('outputs'))`),
    /space-\d+\.ts, line 4: space "mine": children\[1\] of sequential is a function.*must be a module/,
  ],
  [
    'a list in place of modules',
    returning(`sequential([conv(8, 3), globalAvgPool()])`),
    /line 4: space "mine": children\[0\] of sequential is a list of 2; must be a module/,
  ],
  [
    'a choice of one',
    returning(`n.choice('op', { a: relu() })`),
    /line 4: space "mine": choice "op" has 1 option; a choice needs at least 2/,
  ],
  ['an empty pick', returning(`conv(pick('w', []), 3)`), /line 4: space "mine": pick "w" has 0 values/],
  [
    'a width that is no number',
    returning(`conv(Number('wide'), 3)`),
    /line 4: space "mine": channels of conv is NaN; must be a whole number from 1/,
  ],
  ['a negative width', returning(`conv(-8, 3)`), /line 4: space "mine": channels of conv is -8; must be/],
  ['half a kernel', returning(`conv(8, 2.5)`), /kernel of conv is 2\.5; must be a whole number from 1 to 4,096/],
  [
    'a negative number of repetitions',
    returning(`n.repeat(-1, relu())`),
    /times of repeat is -1; must be a whole number from 0/,
  ],
  [
    'repetitions of repetitions without end',
    returning(`n.repeat(1e4, n.repeat(1e4, relu()))`),
    /it has up to 100,010,001 modules, repetitions counted; may have 500,000/,
  ],
  [
    'one name, two choices',
    returning(`sequential(conv(pick('w', [8, 16]), pick('w', [3, 5])), globalAvgPool(), linear('outputs'))`),
    /choice "w" has the domains .*; choices of one name are one decision/,
  ],
  [
    'its own error',
    returning(`(null as unknown as { width: number }).width as never`),
    /space-\d+\.ts, line 4: space "mine": TypeError: Cannot read properties of null/,
  ],
  [
    'no such builder',
    returning(`(n as never as { conv2d(w: number): never }).conv2d(8)`),
    /line 4: space "mine": TypeError: n\.conv2d is not a function/,
  ],
  [
    'an unknown training setting',
    returning(
      `({ network: sequential(globalAvgPool(), linear('outputs')), hyperparameters: { lr: pick('lr', [0.1, 0.01]) } })`,
    ),
    /none of 24 random architectures can be built: hyperparameters: unknown setting "lr"/,
  ],
  [
    'a definition without a function',
    `export const mine = defineSpace('mine', { width: 8 } as never);`,
    /line 3 cannot be loaded; space "mine": the second argument is an object with width; must be a function/,
  ],
  [
    'a module in place of a space',
    `export const mine = sequential(globalAvgPool(), linear('outputs'));`,
    /exports 0 spaces; must export exactly one space made by defineSpace/,
  ],
  ['no TypeScript', `export const mine = defineSpace('mine', () => {`, /space-\d+\.ts", line 3 cannot be loaded; /],
];

for (const [what, source, expected] of wrong)
  test(`a space that can never work is refused before a study is made: ${what}`, async () => {
    const file = fileOf(source);
    await refusedIn(folder, expected, 'search', '--space', file, '--out', join(folder, 'study'));
  });

test('a space of which some members can be built is searched: the others are failed trials', async () => {
  const file = fileOf(
    returning(
      `sequential(conv(8, pick('kernel', [1, 3, 5])), n.choice('op', { good: conv(8, 3), bad: sequential(globalAvgPool(), conv(8, 3)) }), globalAvgPool(), linear('outputs'))`,
    ),
  );
  const dir = join(folder, 'some');
  const settings = ['--trials', '6', '--epochs', '1', '--train-samples', '40', '--seed', '1'];
  const { trials } = await json('search', '--space', file, ...settings, '--out', dir);
  assert.equal(trials, 6);
  const states: string[] = (await json('trials', dir)).map(({ state }: { state: string }) => state);
  assert.deepEqual(new Set(states), new Set(['complete', 'failed']));
});
