/** Who takes part: what each runs, and what is read from it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageFiles, TableFiles } from './data.ts';
import type { Order } from './process.ts';
import type { ResNetOrder } from './resnet.ts';
import { BIN, imageScore, tableScore } from './score.ts';
import type { ImageTask, TableTask, Task } from './tasks.ts';

/** One run of one contestant. */
export interface Contest {
  readonly task: Task;
  readonly contestant: Contestant;
  readonly seed: number;
  /** The time that it is told. */
  readonly budget: number;
}

/** Where a contest takes place. */
export interface Ground {
  readonly files: { readonly images: ImageFiles } | { readonly table: TableFiles };
  /** Empty, for what the contestant writes. */
  readonly scratch: string;
  readonly python: string;
  readonly core: number;
}

export interface Outcome {
  /** On the test file; null where there is none. */
  readonly test: number | null;
  readonly params: number | null;
  /** Whether `test` is that of an exported model. */
  readonly exported: boolean;
}

export interface Contestant {
  readonly name: string;
  /** `run` is what the contests are about, and has more seeds than the others; `python` needs a Python with the peers' packages. */
  readonly by: 'run' | 'train' | 'python';
  takesPart(task: Task): boolean;
  order(contest: Contest, ground: Ground): Order;
  /** Throws Error where the contestant left no result. */
  outcome(contest: Contest, ground: Ground, stdout: string): Promise<Outcome>;
}

/** `netsmith run` with data and time alone; the seed is one of the contest. Scored is the file that it exports. */
const netsmithRun: Contestant = {
  name: 'netsmith run',
  by: 'run',
  takesPart: () => true,
  order: ({ task, seed, budget }, ground) => ({
    command: process.execPath,
    args: [
      ...[BIN, 'run', '--json', ...dataFlags(task, ground), '--time', `${budget}s`],
      ...['--seed', String(seed), '--out', join(ground.scratch, 'study')],
    ],
  }),
  async outcome({ task }, ground, stdout) {
    const model = join(ground.scratch, 'study/best/model.onnx');
    if (!existsSync(model)) throw new Error('no model was exported');
    const test =
      'images' in ground.files
        ? await imageScore(model, ground.files.images)
        : await tableScore(model, ground.files.table, task.metric, ground.core);
    return { test, params: paramsIn(stdout), exported: true };
  },
};

/** The parameters in what `run --json` printed; null where it was killed. */
function paramsIn(stdout: string): number | null {
  if (stdout === '') return null;
  const { evaluation, best } = JSON.parse(stdout) as {
    readonly evaluation?: { readonly params?: number };
    readonly best?: { readonly costs?: { readonly params?: number } };
  };
  return evaluation?.params ?? best?.costs?.params ?? null;
}

/** Flags that name the data of a task. */
function dataFlags(task: Task, { files }: Ground): readonly string[] {
  if (task.kind === 'images')
    return ['--data', task.data, ...('images' in files && files.images.dir ? ['--data-dir', files.images.dir] : [])];
  const { train, test, label } = tableOf(files);
  const regression = task.metric === 'r2' ? ['--regression'] : [];
  return ['--data', 'csv', '--data-dir', train, '--test-data', test, '--label', label, ...regression];
}

/** A program that prints `RESULT {"test": ..., "params": ...}`. */
type Script = Pick<Contestant, 'name' | 'takesPart' | 'order'>;

const printing = (script: Script, by: Contestant['by'] = 'python'): Contestant => ({
  ...script,
  by,
  async outcome(_, __, stdout) {
    const line = /^RESULT (.*)$/m.exec(stdout)?.[1];
    if (line === undefined) throw new Error('no RESULT was printed');
    const { test = null, params = null } = JSON.parse(line) as Partial<Outcome>;
    return { test, params, exported: false };
  },
});

const ownResNet = (depth: number): Contestant =>
  printing(
    {
      name: `netsmith train resnet-${depth}`,
      takesPart: ({ kind }) => kind === 'images',
      order({ task, seed, budget }, ground) {
        const { isPhotograph } = task as ImageTask;
        const data = dataFlags(task, ground);
        const order: ResNetOrder = { depth, seconds: budget, seed, data, isPhotograph };
        const file = join(import.meta.dirname, 'resnet.ts');
        return {
          command: process.execPath,
          args: ['--conditions=netsmith-source', file, JSON.stringify(order)],
        };
      },
    },
    'train',
  );

const peer = (file: string) => join(import.meta.dirname, 'peers', file);

/** A Python script on the arrays of an image task. */
const imagePeer = (
  name: string,
  file: string,
  more: (task: ImageTask) => readonly string[] = () => [],
  takesPart: (task: ImageTask) => boolean = () => true,
): Contestant =>
  printing({
    name,
    takesPart: (task) => task.kind === 'images' && takesPart(task),
    order({ task, seed, budget }, { files, python }) {
      const common = ['--data', imagesOf(files).arrays, '--budget', String(budget), '--seed', String(seed)];
      return { command: python, args: ['-B', peer(file), ...common, ...more(task as ImageTask)] };
    },
  });

const tablePeer = (name: string, model: string): Contestant =>
  printing({
    name,
    takesPart: ({ kind }) => kind === 'table',
    order({ task, seed, budget }, { files, python }) {
      const { train, test, label } = tableOf(files);
      const regression = (task as TableTask).metric === 'r2' ? ['--regression'] : [];
      const common = [train, test, label, '--model', model, '--budget', String(budget), '--seed', String(seed)];
      return { command: python, args: ['-B', peer('table_peers.py'), ...common, ...regression] };
    },
  });

const changed = ({ isPhotograph }: ImageTask) => (isPhotograph ? ['--aug'] : []);
const isDigits = ({ name }: ImageTask) => name === 'digits';

export const CONTESTANTS: readonly Contestant[] = [
  netsmithRun,
  ...[8, 14, 20].map(ownResNet),
  imagePeer('PyTorch ResNet-8', 'torch_resnet.py', changed),
  imagePeer('Optuna CNN', 'optuna_cnn.py', changed),
  imagePeer('KerasTuner Hyperband', 'keras_hyperband.py', undefined, isDigits),
  imagePeer('SVC', 'svc.py', undefined, isDigits),
  tablePeer('histogram boosting', 'boosting'),
  tablePeer('random forest', 'forest'),
  tablePeer('scikit-learn MLP', 'mlp'),
  tablePeer('scikit-learn MLP, early stopping', 'mlp-early'),
  tablePeer('FLAML', 'flaml'),
];

function imagesOf(files: Ground['files']): ImageFiles {
  if (!('images' in files)) throw new Error('the task has no images');
  return files.images;
}

function tableOf(files: Ground['files']): TableFiles {
  if (!('table' in files)) throw new Error('the task has no table');
  return files.table;
}
