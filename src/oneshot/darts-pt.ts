/**
 * DARTS-PT: options chosen by perturbation. Wang et al. 2021, "Rethinking architecture selection in differentiable NAS", arXiv:2108.04392,
 * algorithm 1, with the mixture weights fixed (section 6.2): how large a mixture weight is says little of how much the supernet needs the
 * option. So the weights of the network are trained with all options of a choice weighing the same, and then, one choice after the other in an
 * order drawn at random, the option without which the supernet is worst is the one that the choice keeps. Training goes on between choices.
 * Where wiring is open, a node keeps the edges without which the supernet is worst, once all operations are chosen.
 *
 * `order: certain` takes the choices in another order, as SGAS does (Li et al. 2020, "SGAS: Sequential greedy architecture search",
 * arXiv:1912.00195, which takes certainty from mixture weights): first that whose best option is ahead of its second best by most. What is
 * nearly a tie is decided when most of the network is as it will be.
 *
 * Differs: what the supernet loses is measured by its loss in place of its accuracy, which ties less often, with the batches' own
 * statistics; the learning rate follows one schedule, where the paper starts it again after each choice. Cost: a step computes all options that
 * are left of every choice, and there are no steps of the architecture; a choice with k options takes k measurements, and in the order of
 * certainty as many in each round of choices that it is still open in.
 */
import { z } from 'zod';
import type { Feeds, State } from '../engine/engine.ts';
import { type HostTensor, sizeOf } from '../graph/ir.ts';
import type { ArchitectureParameter } from '../network/network.ts';
import type { Space } from '../space/space.ts';
import { wiredZeros } from '../space/tree/cells.ts';
import { derive } from '../space/tree/derive.ts';
import { noiseFor, trainBatches } from '../train/batch-steps.ts';
import { trainingBatches } from '../train/batches.ts';
import type { Mixture } from '../train/checkpoint.ts';
import { inferenceOver } from '../train/inference.ts';
import { VALID_BATCH } from '../train/loop.ts';
import { optimizerOf } from '../train/optimizers.ts';
import { someSamples } from '../train/samples.ts';
import { learningRates } from '../train/schedules.ts';
import { checkSettings } from '../train/settings.ts';
import { defineOneShot } from './definition.ts';
import { guardsOf } from './guards.ts';
import { describeWeights } from './mixture.ts';
import { optionWeights, outputGraph } from './mixture-steps.ts';
import { openSupernet, type Supernet, type SupernetRequest } from './supernet.ts';

const schema = z.strictObject({
  selectFrom: z.number().min(0).max(1).default(0.5),
  perturbSamples: z.int().min(1).max(1_000_000).default(1000),
  order: z.enum(['random', 'certain']).default('random'),
});

export interface DartsPtSettings {
  /** The share of the epochs after which the first choice is made; the last one is made after the last epoch. */
  readonly selectFrom: number;
  /** Validation samples that the supernet without an option is measured on. */
  readonly perturbSamples: number;
  /** Which choice is made first: a random one, or the one that is least nearly a tie. */
  readonly order: 'random' | 'certain';
}

export const dartsPt = defineOneShot(
  {
    name: 'darts-pt',
    description: 'Trains all options alike, then keeps those without which the supernet is worst (Wang et al. 2021).',
    finds: 'architecture',
  },
  schema,
  openDartsPtSupernet,
);

type Tensors = Readonly<Record<string, HostTensor>>;

/** What takes an option out of a softmax: the exponential of this is 0 in float32, next to 1. */
const OUT = -1000;

/**
 * Opens the mixture supernet of a space. Its validation metrics are those of the mixture that is left. Records have mixture weights and a
 * genotype once all choices are made: that is after the last epoch. Throws as `openTraining` does.
 */
export async function openDartsPtSupernet(
  request: SupernetRequest,
  { selectFrom, perturbSamples, order }: DartsPtSettings = schema.parse({}),
): Promise<Supernet> {
  const { space, info, settings, signal, valid, train, data = 1 } = request;
  checkSettings(settings, 'training settings', info, request.task);
  const batches = trainingBatches(train, info, settings, data, request.task);
  const { batchSize, stepsPerEpoch } = batches;
  const rates = learningRates(settings, stepsPerEpoch);
  const streams: SupernetRequest['rng'] = (...labels) => request.rng('selection', ...labels);
  const judged = valid !== undefined && valid.count > 0 ? valid : train;
  const judgeBatch = Math.min(VALID_BATCH, judged.count);
  const samples = someSamples(judged, perturbSamples);

  const {
    measureWith: _,
    state: _state,
    ...opened
  } = await openSupernet(request, {
    choices: 'mixture',
    batchSize,
    stepsPerEpoch,
    async open({ programs, borrow, on, validBatch }) {
      const { built, program } = await borrow(programs.training(on, settings, batchSize));
      const inference = await borrow(programs.inference(on, validBatch));
      const outputs = await borrow(
        programs.program({
          ...{ on, batchSize: judgeBatch, kind: 'mixture outputs' },
          build: () => outputGraph(on, judgeBatch),
          compile: { memory: 'returned' },
        }),
      );
      const { architecture } = built;
      const candidates = candidatesOf(space, architecture);
      // Of the options: 0 while they are in the mixture. They are fed, so that no program has to change them.
      const own = new Map(architecture.map(({ path, shape }) => [path, startOf(path, shape, request)]));
      const left = (): Tensors => Object.fromEntries(own);
      const signs = guardsOf(space);

      /** The loss of the supernet with these options, statistics being those of each batch. */
      async function lossWith(state: State, feeds: Feeds): Promise<number> {
        signal?.throwIfAborted();
        const noise = noiseFor(outputs.built.randomInputs, streams('noise'), 0)();
        const all = { ...noise, ...feeds };
        const { metrics } = await inferenceOver(outputs.program, on, state, judgeBatch, all).measure(samples, signal);
        return metrics.loss ?? metrics.mse ?? Number.NaN;
      }

      /** The option without which the supernet is worst, the first of equals, and how much worse it is than without any other. */
      async function neededOption(state: State, { at, options }: Candidate): Promise<Needed> {
        let [needed, worst, second] = [options[0] ?? 0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
        if (options.length === 1) return { option: needed, ahead: Number.POSITIVE_INFINITY };
        for (const option of options) {
          const loss = await lossWith(
            state,
            changed(left(), at, (k, value) => (k === option ? OUT : value)),
          );
          if (loss > worst) [needed, worst, second] = [option, loss, worst];
          else second = Math.max(second, loss);
        }
        return { option: needed, ahead: worst - second };
      }

      function keep({ at }: Candidate, needed: number): void {
        for (const [path, tensor] of Object.entries(changed(left(), at, (k) => (k === needed ? 0 : OUT))))
          own.set(path, tensor);
      }

      /** Makes choices in a random order, each of them with those before it made. */
      async function chooseAtRandom(state: State, before: number, made: number): Promise<void> {
        const drawn = streams('order').shuffle([...candidates]);
        for (const candidate of drawn.slice(before, made))
          keep(candidate, (await neededOption(state, candidate)).option);
      }

      /** Measures all choices that are open, and makes those of them that are most certain. */
      async function chooseMostCertain(state: State, count: number): Promise<void> {
        const measured: { readonly candidate: Candidate; readonly needed: Needed }[] = [];
        for (const candidate of candidates.filter((one) => isOpen(left(), one)))
          measured.push({ candidate, needed: await neededOption(state, candidate) });
        const sorted = measured.toSorted((a, b) =>
          a.needed.ahead === b.needed.ahead ? 0 : b.needed.ahead - a.needed.ahead,
        );
        for (const { candidate, needed } of sorted.slice(0, count)) keep(candidate, needed.option);
      }

      /** How much the loss grows without an edge, for each edge that a node may leave out. */
      async function edgeStrengths(state: State): Promise<ReadonlyMap<string, number>> {
        const strengths = new Map<string, number>();
        for (const { name, at, absent } of candidates) {
          if (absent === undefined) continue;
          strengths.set(
            name,
            await lossWith(
              state,
              changed(left(), at, (k) => (k === absent ? 0 : OUT)),
            ),
          );
        }
        return strengths;
      }

      async function mixtureOf(state: State): Promise<Mixture> {
        const shares = optionWeights(architecture, left());
        const losses = await edgeStrengths(state);
        const scaled = Object.entries(shares).map(([name, row]) => {
          const loss = losses.get(name);
          return [name, loss === undefined ? row : row.map((share) => share * strength(loss, losses))] as const;
        });
        return describeWeights(space, shares, derive(space, Object.fromEntries(scaled)));
      }

      return {
        parts: { ...built, architecture: [] },
        own: { names: [...own.keys()], read: left },
        training: [program],
        inference,
        measured: (state, given) =>
          inferenceOver(inference.program, on, state, validBatch, left()).measure(given, signal),
        async more({ state, history }) {
          const plan = { epochs: settings.epochs, selectFrom, choices: candidates.length };
          const [before, made] = [choicesAfter(history.length, plan), choicesAfter(history.length + 1, plan)];
          if (order === 'random') await chooseAtRandom(state, before, made);
          else if (made > before) await chooseMostCertain(state, made - before);
          if (made < candidates.length) return {};
          const mixture = await mixtureOf(state);
          return { mixture, guards: signs(mixture) };
        },
        train: (index, state, nextStep) =>
          trainBatches(request, index, {
            batches,
            randomInputs: () => built.randomInputs,
            progress: index / settings.epochs,
            scalars: (step) => optimizerOf(settings).scalars(rates(index, step), nextStep()),
            feeds: left,
            run: (feeds) => program.run(feeds, state),
          }),
      };
    },
  });
  return opened;
}

/** Choices are made after at most this many epochs, because each of them may take a measurement of all options. */
const ROUNDS = 8;

/** How many choices are made after the epoch of this number, from 1; evenly from the first of them to the last epoch. */
export function choicesAfter(
  epoch: number,
  { epochs, selectFrom, choices }: { readonly epochs: number; readonly selectFrom: number; readonly choices: number },
): number {
  const start = Math.min(epochs, Math.max(1, Math.round(selectFrom * epochs)));
  if (epoch < start) return 0;
  const all = epochs - start + 1;
  const rounds = Math.min(ROUNDS, all);
  return Math.min(choices, Math.ceil((choices * Math.floor((rounds * (epoch - start + 1)) / all)) / rounds));
}

/** Which option a choice needs most. */
interface Needed {
  readonly option: number;
  /** By how much the loss grows more without it than without any other. */
  readonly ahead: number;
}

/** A choice to be made. */
interface Candidate {
  readonly name: string;
  /** Where its options are: in which tensor, and from which element. */
  readonly at: { readonly path: string; readonly start: number; readonly count: number };
  /** Which of them can be kept. */
  readonly options: readonly number[];
  /** The option that puts out nothing, where the edge may be left out. */
  readonly absent: number | undefined;
}

/** In a cell that decides its wiring, to have no operation is the wiring's business, as in `derive`. */
function candidatesOf(space: Space, architecture: readonly ArchitectureParameter[]): readonly Candidate[] {
  const zeros = wiredZeros(space);
  return architecture.flatMap(({ path, decisions }) => {
    let start = 0;
    return decisions.map(({ name, options }): Candidate => {
      const at = { path, start, count: options.length };
      start += options.length;
      const passedOver = zeros.get(name) ?? [];
      const kept = options.flatMap((option, k) => (passedOver.includes(option) ? [] : [k]));
      const absent = options.findIndex((option) => passedOver.includes(option));
      return {
        ...{ name, at, options: kept.length > 0 ? kept : options.map((_, k) => k) },
        absent: absent < 0 ? undefined : absent,
      };
    });
  });
}

/** Whether no option has been chosen. */
function isOpen(tensors: Tensors, { at: { path, start, count } }: Candidate): boolean {
  return Array.from(tensors[path]?.data.slice(start, start + count) ?? []).every((value) => value === 0);
}

/** A copy in which the options of one choice have other values. */
function changed(
  tensors: Tensors,
  { path, start, count }: Candidate['at'],
  valueAt: (option: number, value: number) => number,
): Tensors {
  const tensor = tensors[path];
  if (tensor === undefined) throw new Error(`there is no tensor "${path}"`);
  const data = Float32Array.from(tensor.data);
  for (let k = 0; k < count; k++) data[start + k] = valueAt(k, data[start + k] ?? 0);
  return { ...tensors, [path]: { shape: tensor.shape, data } };
}

/** Shares of 1/2 to 1 in the order of the losses. */
function strength(loss: number, all: ReadonlyMap<string, number>): number {
  const smaller = [...all.values()].filter((other) => other < loss).length;
  return 0.5 + smaller / (2 * all.size);
}

/** As in the checkpoint; all options are in the mixture at first. */
function startOf(path: string, shape: readonly number[], { checkpoint }: SupernetRequest): HostTensor {
  return checkpoint?.tensors[path] ?? { shape: [...shape], data: new Float32Array(sizeOf(shape)) };
}
