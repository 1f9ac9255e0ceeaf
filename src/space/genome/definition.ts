import { invalid } from '../../common/errors.ts';
import { type OptionRule, optionRules } from '../../common/option-rules.ts';
import { defaultsOf, optionsBy, schemaOf } from '../../common/options.ts';
import type { SpaceOptions, Task } from '../space.ts';
import { NEAT_SPACE_OPTIONS, type NeatSpace, neatSpace } from './neat.ts';

/** A space of genomes before the task is known: the counterpart of `SpaceDefinition`, whose spaces are trees. */
export interface GenomeSpaceDefinition {
  readonly name: string;
  readonly description: string;
  readonly defaults: SpaceOptions;
  rules(): readonly OptionRule[];
  /** For a task with `outputs` numbers of an action. Throws UserError for a wrong option, and for a task that is no environment. */
  open(task: Task, options?: SpaceOptions): NeatSpace;
}

const neat: GenomeSpaceDefinition = Object.freeze({
  name: 'neat',
  description:
    'genomes of networks that grow, for an environment: nodes, connections, weights (Stanley & Miikkulainen 2002)',
  defaults: defaultsOf(NEAT_SPACE_OPTIONS),
  rules: () => optionRules(schemaOf(NEAT_SPACE_OPTIONS)),
  open(task: Task, given: SpaceOptions = {}) {
    if (task.kind !== 'control')
      throw invalid('space "neat"', `the task is ${task.kind}`, 'its genomes act in an environment: --environment');
    const inputs = task.input.reduce((product, size) => product * size, 1);
    return neatSpace('neat', {
      inputs,
      outputs: task.outputs,
      ...(task.largest && { scale: task.largest.map((most) => 1 / most) }),
      ...optionsBy(NEAT_SPACE_OPTIONS, given, 'space "neat"'),
    } as Parameters<typeof neatSpace>[1]);
  },
});

/** The spaces of genomes, by name. */
export const GENOME_SPACES = { neat } as const satisfies Readonly<Record<string, GenomeSpaceDefinition>>;

/** Whether a space has this name whose members are genomes. */
export const isGenomeSpace = (name: string): name is keyof typeof GENOME_SPACES => Object.hasOwn(GENOME_SPACES, name);
