/** The known spaces by name, and hand-designed networks (`TaskDefinition.baselines` says which of them a search is held against). */

import type { Architecture, Space, SpaceDefinition, SpaceOptions, Task } from '../space.ts';
import { checkArchitecture } from '../tree/architecture.ts';
import { policy } from './control/policy.ts';
import { darts } from './image/darts.ts';
import { enasMacro } from './image/enas-macro.ts';
import { hierarchical } from './image/hierarchical.ts';
import { inception } from './image/inception.ts';
import { mnasnet } from './image/mnasnet.ts';
import { mobilenet } from './image/mobilenet.ts';
import { nasBench101 } from './image/nas-bench-101.ts';
import { nasBench201 } from './image/nas-bench-201.ts';
import { nasnet } from './image/nasnet.ts';
import { residualCnn } from './image/residual-cnn.ts';
import { resnet } from './image/resnet.ts';
import { smallCnn } from './image/small-cnn.ts';
import { vit } from './image/vit.ts';
import { layerGenomes } from './layers/layer-genomes.ts';
import { macro } from './macro/macro.ts';
import { mlp } from './table/mlp.ts';
import { residualMlp } from './table/residual-mlp.ts';
import { evolvedTransformer } from './text/evolved-transformer.ts';
import { meanOfEmbeddings } from './text/mean-of-embeddings.ts';
import { nasBenchNlp } from './text/nas-bench-nlp.ts';
import { rnn } from './text/rnn.ts';
import { rnnCell } from './text/rnn-cell.ts';
import { textCnn } from './text/text-cnn.ts';
import { transformer } from './text/transformer.ts';

export const SPACES = {
  'nas-bench-201': nasBench201,
  'nas-bench-101': nasBench101,
  mlp,
  'residual-cnn': residualCnn,
  'residual-mlp': residualMlp,
  'small-cnn': smallCnn,
  resnet,
  darts,
  nasnet,
  'enas-macro': enasMacro,
  mobilenet,
  inception,
  layerGenomes,
  macro,
  'layer-genomes': layerGenomes,
  hierarchical,
  policy,
  mnasnet,
  vit,
  transformer,
  'text-cnn': textCnn,
  rnn,
  'rnn-cell': rnnCell,
  'nas-bench-nlp': nasBenchNlp,
  'evolved-transformer': evolvedTransformer,
} as const satisfies Readonly<Record<string, SpaceDefinition>>;

/** A network that those of a search are held against, as the member of a space. */
export interface Baseline {
  readonly space: Space;
  readonly architecture: Architecture;
}

const resnetOf =
  (depth: number) =>
  (task: Task): Baseline => ({ space: resnet.create(task, { depth }), architecture: {} });

/** A hand-designed network of a space, by its name there. */
function designed(definition: SpaceDefinition, task: Task, options: SpaceOptions, name: string): Baseline {
  const architecture = definition.handDesigned?.(task, options)[name];
  if (architecture === undefined) throw new Error(`space "${definition.name}" has no network "${name}"`);
  return { space: definition.create(task, options), architecture };
}

/** Each throws UserError for a task that it cannot serve: the ResNets need images, the mean of embeddings texts. */
export const BASELINES = {
  'resnet-8': resnetOf(8),
  'resnet-14': resnetOf(14),
  'resnet-20': resnetOf(20),
  /** Two hidden layers of 128 with batch norm and ReLU. */
  mlp: (task: Task): Baseline => {
    const space = mlp.create(task);
    const architecture = checkArchitecture(space, {
      depth: 2,
      'layer/0/width': 128,
      'layer/1/width': 128,
      normalisation: 'batch',
      activation: 'relu',
      dropout: 0,
    });
    return { space, architecture };
  },
  'mean-of-embeddings': (task: Task): Baseline => ({ space: meanOfEmbeddings.create(task), architecture: {} }),
  /** Two layers of 256 units. */
  lstm: (task: Task): Baseline => designed(rnn, task, { embedding: 128, width: 256, layers: 2 }, 'lstm'),
  /** nanoGPT's configuration for a CPU (Karpathy 2022). */
  'nano-gpt': (task: Task): Baseline =>
    designed(transformer, task, { layers: 4, width: 128, heads: 4, bias: false }, 'gpt'),
} as const satisfies Readonly<Record<string, (task: Task) => Baseline>>;

export {
  darts,
  enasMacro,
  evolvedTransformer,
  hierarchical,
  inception,
  macro,
  mlp,
  mnasnet,
  mobilenet,
  nasBench101,
  nasBench201,
  nasBenchNlp,
  nasnet,
  policy,
  residualCnn,
  residualMlp,
  resnet,
  rnn,
  rnnCell,
  smallCnn,
  textCnn,
  transformer,
  vit,
};
