/**
 * Evolution of layers on CIFAR-10 (space `layer-genomes`, strategy `layer-neat`) against random search of the same time: accuracy over
 * generations, the test accuracy of the best, and its network as SVG.
 *
 *     npm run -s bench:layers -- [--minutes 60] [--seeds 3] [--first 1] [--resume DIR] [--json] [--save]
 *
 *     --only a         only methods whose names contain this: layer-neat, random
 *     --population 12  children of a generation; of random search a generation is as many trials
 *     --epochs 2       of a trial
 *     --final 12       epochs of the final training, on training and validation samples; 0: none, and no test accuracy
 *     --max-flops N    limit on both searches (15,000,000)
 *     --samples N      training samples (all: 15,000 of 20,000 images, the rest is validation)
 *     --resume DIR     where the studies are: those that are there continue with the time that they have left
 *     --shared DIR     the folder with cifar-10-batches-bin (../shared/data)
 *     --save           writes bench/results/layers-DATE.json and layers-DATE.svg
 *
 * Both are studies with the same data, limits, epochs and time; random search draws networks of 1 to 8 layers from the same space
 * (`start=random`), as the first members of `layer-neat` have one layer. The test split is opened once for each study, at the end. The
 * default takes 2 methods x 3 seeds x 1 h, and about 10 minutes for each final training: 7 hours of one core. A short form of some
 * minutes: --minutes 3 --seeds 1 --population 4 --epochs 1 --final 1 --samples 2000.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStudy } from '../src/app/open.ts';
import { drawArchitecture } from '../src/report/drawing/draw.ts';
import type { Architecture, Module } from '../src/space/index.ts';
import { circumstances, saveResult } from './engine/results.ts';
import { markdown } from './engine/tables.ts';
import { parseFlags } from './support/flags.ts';
import { meanInterval } from './support/mean-interval.ts';

const METHODS = ['layer-neat', 'random'] as const;
type Method = (typeof METHODS)[number];

const flags = parseFlags({
  minutes: { type: 'string', default: '60' },
  seeds: { type: 'string', default: '3' },
  first: { type: 'string', default: '1' },
  only: { type: 'string', default: '' },
  population: { type: 'string', default: '12' },
  epochs: { type: 'string', default: '2' },
  final: { type: 'string', default: '12' },
  'max-flops': { type: 'string', default: '15000000' },
  samples: { type: 'string' },
  resume: { type: 'string' },
  shared: { type: 'string', default: `${import.meta.dirname}/../../shared/data` },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
});

interface Run {
  readonly method: Method;
  readonly seed: number;
  /** Complete, in the order they were proposed: accuracy on the validation samples. */
  readonly trials: readonly { readonly accuracy: number; readonly params: number; readonly text: string }[];
  readonly failed: number;
  readonly best: { readonly accuracy: number; readonly params: number; readonly flops: number; readonly text: string };
  /** Of the best, retrained. */
  readonly test?: number;
}

const say = (line: string) => process.stderr.write(`${line}\n`);
const when = circumstances(1);
const folder = flags.resume ?? mkdtempSync(join(tmpdir(), 'netsmith-layers-'));
const population = Number(flags.population);
const drawn: { readonly accuracy: number; readonly text: string; readonly network: Module }[] = [];

const searchOf = (method: Method) =>
  method === 'random'
    ? { strategy: 'random', spaceOptions: { start: 'random' } }
    : { strategy: 'layer-neat', strategyOptions: { population } };

async function play(method: Method, seed: number): Promise<Run> {
  const study = await createStudy({
    ...{ dir: join(folder, `${method}-${seed}`), ifExists: 'continue' },
    ...{ data: 'cifar-10', dataDir: join(flags.shared, 'cifar-10-batches-bin') },
    ...(flags.samples !== undefined && { trainSamples: Number(flags.samples) }),
    ...{ space: 'layer-genomes', ...searchOf(method) },
    ...{ maxFlops: Number(flags['max-flops']), epochs: Number(flags.epochs), seed, threads: 1 },
    time: `${flags.minutes}m`,
  });
  await study.optimize({
    onTrial: ({ number, state, metrics, costs, text }) =>
      say(
        `${method} ${seed}, trial ${number}: ${state} ${percent(metrics.accuracy)}, ${costs.params} parameters; ${text}`,
      ),
  });
  const [all, best] = [await study.trials(), await study.best()];
  if (best === undefined) throw new Error(`${method}, seed ${seed}: no trial is complete; give it more --minutes`);
  const final = Number(flags.final);
  const evaluated = final > 0 ? await study.evaluate({ seeds: 1, samples: false, epochs: final }) : undefined;
  const network = study.space.build?.(best.architecture satisfies Architecture);
  const { accuracy = Number.NaN } = best.metrics;
  if (method === 'layer-neat' && network !== undefined) drawn.push({ accuracy, text: best.text, network });
  const test = evaluated?.kept?.test.accuracy;
  await study.close();
  return {
    ...{ method, seed },
    trials: all
      .filter(({ state }) => state === 'complete')
      .map(({ metrics, costs, text }) => ({
        ...{ accuracy: metrics.accuracy ?? Number.NaN, params: costs.params ?? Number.NaN, text },
      })),
    failed: all.filter(({ state }) => state === 'failed').length,
    best: { accuracy, params: best.costs.params ?? Number.NaN, flops: best.costs.flops ?? Number.NaN, text: best.text },
    ...(test !== undefined && { test }),
  };
}

const percent = (share: number | undefined) => (share === undefined ? '' : `${(share * 100).toFixed(2)} %`);

const runs: Run[] = [];
for (let i = 0; i < Number(flags.seeds); i++)
  for (const method of METHODS) if (method.includes(flags.only)) runs.push(await play(method, Number(flags.first) + i));

const result = { minutes: Number(flags.minutes), population, epochs: Number(flags.epochs), runs };
if (flags.save) {
  const file = saveResult('layers', when, result);
  say(file);
  const [best] = drawn.toSorted((a, b) => b.accuracy - a.accuracy);
  if (best !== undefined)
    writeFileSync(file.replace(/json$/u, 'svg'), await drawArchitecture(best.network, { title: best.text }));
}
if (flags.json) process.stdout.write(`${JSON.stringify({ ...when, ...result })}\n`);
else process.stdout.write(`${summary()}\n\n${generations()}\n`);

/** `51.2 % ± 1.0`: the mean over seeds and half its 95 % interval. */
function spread(values: readonly number[]): string {
  const { mean, half } = meanInterval(values);
  return values.length > 1 ? `${percent(mean)} ± ${(half * 100).toFixed(2)}` : percent(mean);
}

function summary(): string {
  return markdown(
    ['method', 'seeds', 'trials', 'best validation accuracy', 'test accuracy', 'parameters of the best'],
    METHODS.flatMap((method) => {
      const own = runs.filter((run) => run.method === method);
      if (own.length === 0) return [];
      const tests = own.flatMap(({ test }) => test ?? []);
      return [
        [
          method,
          own.length,
          own.map(({ trials, failed }) => `${trials.length}${failed > 0 ? ` (${failed} failed)` : ''}`).join(', '),
          spread(own.map(({ best }) => best.accuracy)),
          tests.length > 0 ? spread(tests) : '',
          own.map(({ best }) => best.params.toLocaleString('en-US')).join(', '),
        ],
      ];
    }),
  );
}

/** Of each generation: the best accuracy until then and the mean of its trials, over the seeds that got so far. */
function generations(): string {
  const count = Math.max(...runs.map(({ trials }) => Math.ceil(trials.length / population)));
  return markdown(
    ['generation', ...METHODS.flatMap((method) => [`${method}: best until then`, 'mean of the generation'])],
    Array.from({ length: count }, (_, generation) => [
      generation + 1,
      ...METHODS.flatMap((method) => {
        const reached = runs.filter((run) => run.method === method && run.trials.length > generation * population);
        if (reached.length === 0) return ['', ''];
        const values = reached.map(({ trials }) => trials.map(({ accuracy }) => accuracy));
        const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
        return [
          percent(mean(values.map((own) => Math.max(...own.slice(0, (generation + 1) * population))))),
          percent(mean(values.map((own) => mean(own.slice(generation * population, (generation + 1) * population))))),
        ];
      }),
    ]),
  );
}
