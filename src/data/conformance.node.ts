import assert from 'node:assert/strict';
import { messageOf } from '../common/errors.ts';
import { checkTask } from '../task/conformance.node.ts';
import { factsOf, taskOf } from '../task/index.ts';
import { type Arrays, allocate, mapValues, rowsOf, type TensorSpecs } from '../task/spec.ts';
import type { Dataset, Samples } from './dataset.ts';
import { checkValues, type DatasetDefinition, type OwnDataRequest } from './own.ts';

/** Samples of each part that are looked at. */
const MOST = 32;

/** The parts of a data set, all open. */
interface Opened {
  readonly dataset: Dataset;
  readonly parts: Readonly<Record<'train' | 'valid' | 'test', Samples>>;
}

/** What every data set must keep. */
interface Rule {
  readonly title: string;
  check(opened: Opened, again: Opened): Promise<void>;
}

const RULES: readonly Rule[] = [
  {
    title: 'each part has the samples that its count says, and there are some to train on',
    async check({ dataset: { search }, parts }) {
      for (const [part, { count }] of Object.entries(parts))
        assert.equal(count, search.info.counts[part as keyof Opened['parts']], part);
      assert.ok(parts.train.count > 0, 'there are no training samples');
    },
  },
  {
    title: 'a sample is found by its number, whatever else is read with it and in whatever order',
    async check(opened) {
      const specs = specsOf(opened);
      for (const [part, samples] of Object.entries(opened.parts)) {
        const indices = firstOf(samples);
        const together = await read(samples, specs, indices);
        const backwards = await read(samples, specs, indices.toReversed());
        for (const i of indices) {
          const row = rowsOf(together, specs, i, 1);
          assert.deepEqual(rowsOf(backwards, specs, indices.length - 1 - i, 1), row, `${part} sample ${i}, backwards`);
          if (i < 4) assert.deepEqual(await read(samples, specs, [i]), copied(row), `${part} sample ${i}, alone`);
        }
      }
    },
  },
  {
    title: 'only the tensors that are asked for are needed',
    async check(opened) {
      const specs = specsOf(opened);
      for (const [part, samples] of Object.entries(opened.parts)) {
        const indices = firstOf(samples);
        const all = await read(samples, specs, indices);
        for (const [name, spec] of Object.entries(specs)) {
          const alone = await read(samples, { [name]: spec }, indices);
          assert.deepEqual(alone[name], all[name], `"${name}" of the ${part} samples, alone`);
        }
      }
    },
  },
  {
    title: 'values are finite, and those that count (classes, tokens) are in range',
    async check(opened) {
      const { info } = opened.dataset.search;
      const specs = specsOf(opened);
      const classes = factsOf(info).classes ? info.outputs : undefined;
      for (const [part, samples] of Object.entries(opened.parts))
        checkValues(`${part} samples`, await read(samples, specs, firstOf(samples)), specs, classes);
    },
  },
  {
    title: 'opened again with the same seed, it is the same',
    async check(opened, again) {
      const specs = specsOf(opened);
      assert.deepEqual(plain(again.dataset.search.info), plain(opened.dataset.search.info));
      for (const [part, samples] of Object.entries(opened.parts)) {
        const indices = firstOf(samples);
        const other = again.parts[part as keyof Opened['parts']];
        assert.deepEqual(await read(other, specs, indices), await read(samples, specs, indices), `${part} samples`);
      }
    },
  },
  {
    title: 'its task keeps the rules of a task (checkTask)',
    check: ({ dataset: { search } }) => checkTask(search),
  },
];

/**
 * Checks that a data set of your own keeps the rules that searching, measuring and resuming rely on, over the first samples of each
 * part; with a task of your own, also the rules of `checkTask`. Nothing is trained. Throws Error, with the rule, at the first one that
 * is broken; UserError for what cannot be opened at all.
 */
export async function checkDataset(
  definition: DatasetDefinition,
  request: Partial<OwnDataRequest> = {},
): Promise<void> {
  const open = async (): Promise<Opened> => {
    const dataset = await definition.open({ seed: 0, ...request });
    const { train, valid } = dataset.search;
    return { dataset, parts: { train, valid, test: await dataset.openTest() } };
  };
  const [opened, again] = [await open(), await open()];
  for (const { title, check } of RULES) {
    try {
      await check(opened, again);
    } catch (error) {
      throw new Error(`data set "${definition.name}" breaks the rule "${title}": ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
}

function specsOf({ dataset: { search } }: Opened): TensorSpecs {
  const { inputs, targets } = taskOf(search.info, search.task).spec(search.info);
  return { ...inputs, ...targets };
}

const firstOf = ({ count }: Samples): readonly number[] => [...Array(Math.min(MOST, count)).keys()];

async function read(samples: Samples, specs: TensorSpecs, indices: readonly number[]): Promise<Arrays> {
  const into = allocate(specs, indices.length);
  if (indices.length > 0) await samples.read(indices, into);
  return into;
}

const copied = (arrays: Arrays): Arrays => mapValues(arrays, (values) => values.slice());

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
