import { invalid, UserError } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { optionRules } from '../../common/option-rules.ts';
import { defaultsOf, type OptionSpecs, type OptionsBy, optionsBy, schemaOf } from '../../common/options.ts';
import { showLimit } from '../../common/rules.ts';
import type {
  Architecture,
  Hyperparameters,
  Membership,
  OpenMembers,
  PublishedArchitectures,
  Space,
  SpaceDefinition,
  SpaceOptions,
  Task,
  TextForm,
  UsualTraining,
} from '../space.ts';
import { checkArchitecture, formatDecisions, parseDecisions } from './architecture.ts';
import { decisions } from './decisions.ts';
import { isModule, isObject, isValueChoice, node, quoted, valueChoice } from './fields.ts';
import type { Module } from './module.ts';
import { childrenOf } from './walk.ts';

/** What a definition builds: a tree, or a tree with training settings left open. */
export type Built = Module | { readonly network: Module; readonly hyperparameters: Hyperparameters };

export interface DefineOptions<D extends OptionSpecs> {
  /** One sentence for lists of spaces. */
  readonly description?: string;
  /** The options with their defaults, and rules where they have some: `{ width: { default: 16, whole: true, min: 1 } }`. */
  readonly defaults?: D;
  /** The space's own notation; a function where it depends on the options. */
  readonly text?: TextForm | ((task: Task, options: OptionsBy<D>) => TextForm);
  /** Rules that the tree cannot express. */
  membership?(task: Task, options: OptionsBy<D>): Membership;
  /** Members that people designed, by name, the best for a short time first: a search tries them before its own. */
  handDesigned?(task: Task, options: OptionsBy<D>): Readonly<Record<string, Architecture>>;
  /** Members that papers have published, as `text` reads them. Without `text`, their names are read in the place of decisions. */
  readonly published?: PublishedArchitectures;
  /** What `run` trains its networks with, where that is not what the data's kind of input suggests. */
  readonly training?: UsualTraining;
}

/** How a definition made a space: with these options in place of its own. */
const makers = new WeakMap<Space, (changed: SpaceOptions) => Space>();

/** Has the options of `made` changed as those of `space` are, from which it was made by `change`. */
export function remakeAs(made: Space, space: Space, change: (space: Space) => Space): void {
  const make = makers.get(space);
  if (make !== undefined) makers.set(made, (changed) => change(make(changed)));
}

/** The same space with other options; undefined where it was not made by a definition, or where that does not have them. Throws as `create` does. */
export function withSpaceOptions(space: Space, changed: SpaceOptions): Space | undefined {
  const known = Object.keys(changed).every((name) => Object.hasOwn(space.options, name));
  return known ? makers.get(space)?.(changed) : undefined;
}

/**
 * A search space as a function of the task and of the space's own options. What `build` throws as UserError gets the
 * space's name as its place.
 */
export function defineSpace<const D extends OptionSpecs = Record<never, never>>(
  name: string,
  build: (task: Task, options: OptionsBy<D>) => Built,
  { description = '', defaults, text, membership, handDesigned, published, training }: DefineOptions<D> = {},
): SpaceDefinition {
  if (typeof name !== 'string' || name === '')
    throw invalid('defineSpace', `name is ${quoted(name)}`, 'must be a text');
  const place = `space "${name}"`;
  if (typeof build !== 'function')
    throw invalid(place, `the second argument is ${quoted(build)}`, 'must be a function (task, options) => module');
  const specs = deepFreeze({ ...defaults }) as D;
  const schema = schemaOf(specs, place);
  function create(task: Task, given: SpaceOptions = {}): Space {
    const options = Object.freeze(optionsBy(specs, given, place));
    return within(place, () => {
      checkTask(task);
      const { network: root, hyperparameters } = partsOf(build(task, options));
      const space = createSpace({
        ...{ name, task, options, root, hyperparameters },
        ...textOf(task, options),
        ...(membership && { membership: membership(task, options) }),
      });
      makers.set(space, (changed) => create(task, { ...options, ...changed }));
      return space;
    });
  }
  function textOf(task: Task, options: OptionsBy<D>): Pick<Space, 'text'> {
    if (text) return { text: typeof text === 'function' ? text(task, options) : text };
    return published === undefined ? {} : { text: textWithNames(name, published, options) };
  }
  return Object.freeze({
    name,
    description,
    defaults: defaultsOf(specs),
    rules: () => optionRules(schema),
    create,
    ...(published && { published: deepFreeze(published) }),
    ...(training && { training: deepFreeze(training) }),
    ...(handDesigned && {
      handDesigned(task: Task, given: SpaceOptions = {}) {
        const space = create(task, given);
        // Its options are checked: `create` has just read them.
        const members = Object.entries(handDesigned(task, space.options as OptionsBy<D>));
        return Object.freeze(
          Object.fromEntries(
            members.map(([member, architecture]) => [
              member,
              within(`${place}, hand-designed "${member}"`, () => checkArchitecture(space, architecture)),
            ]),
          ),
        );
      },
    }),
  });
}

/** `name=value, ...`, or the name of a published member. Throws UserError for one that needs other options. */
function textWithNames(
  name: string,
  { architectures, options: common }: PublishedArchitectures,
  given: SpaceOptions,
): TextForm {
  return {
    format: formatDecisions,
    parse(text, tree) {
      const named = Object.hasOwn(architectures, text) ? architectures[text] : undefined;
      const wanted = Object.entries(named === undefined ? {} : { ...common, ...named.options });
      const other = wanted.filter(([option, value]) => given[option] !== value);
      const show = (options: readonly (readonly [string, unknown])[]) =>
        options.map(([option, value]) => `${option}=${value}`).join(',');
      if (other.length > 0) {
        const found = `options are ${show(other.map(([option]) => [option, given[option]]))}`;
        throw invalid(`architecture "${text}"`, found, `must be --space-options ${show(wanted)}`);
      }
      if (tree === undefined) throw new Error('decisions are read with their tree');
      return parseDecisions({ ...tree, name }, named?.text ?? text);
    },
  };
}

/**
 * A space whose members have a form of their own, made for a task and the space's options. Throws UserError as `defineSpace` does. Only for
 * spaces of Netsmith: a study stores their name alone.
 */
export function defineOpenSpace<const D extends OptionSpecs>(
  name: string,
  membersOf: (task: Task, options: OptionsBy<D>) => OpenMembers,
  described: { readonly description: string; readonly defaults: D },
): SpaceDefinition {
  const withoutMembers = defineSpace(name, () => node({ kind: 'identity' }), described);
  function create(task: Task, given: SpaceOptions = {}): Space {
    const { options, ...empty } = withoutMembers.create(task, given);
    const members = within(`space "${name}"`, () => membersOf(task, options as OptionsBy<D>));
    const space: Space = Object.freeze({ ...empty, options, members: Object.freeze(members) });
    makers.set(space, (changed) => create(task, { ...options, ...changed }));
    return space;
  }
  return Object.freeze({ ...withoutMembers, create });
}

/** The value that the user's function returned. Throws UserError unless it is a tree, or a tree with training settings. */
function partsOf(built: unknown): { readonly network: Module; readonly hyperparameters: Hyperparameters } {
  if (isModule(built)) return { network: built, hyperparameters: {} };
  const rule = 'it must return one module, such as sequential(...), or { network, hyperparameters }';
  if (!isObject(built) || !('network' in built))
    throw new UserError(`the definition returned ${quoted(built)}; ${rule}`);
  const { network, hyperparameters = {} } = built;
  if (!isModule(network))
    throw new UserError(`the network that the definition returned is ${quoted(network)}; ${rule}`);
  if (!isObject(hyperparameters))
    throw new UserError(`the hyperparameters that the definition returned are ${quoted(hyperparameters)}; ${rule}`);
  return { network, hyperparameters: hyperparameters as Hyperparameters };
}

/** Modules of a space, repetitions and all options counted; more would take minutes to walk. */
const MOST_MODULES = 500_000;

function modulesOf(module: Module): number {
  const inside = childrenOf(module).reduce((sum, child) => sum + modulesOf(child), 0);
  if (module.kind !== 'repeat') return 1 + inside;
  const { times } = module;
  if (!isValueChoice(times)) return 1 + times * inside;
  return 1 + inside * (times.kind === 'pick' ? Math.max(...times.values.map(Number)) : times.max);
}

/** Checks what only the whole shows, and freezes. Throws UserError. */
export function createSpace(space: Space): Space {
  const modules = modulesOf(space.root);
  if (modules > MOST_MODULES)
    throw new UserError(
      `it has up to ${showLimit(modules)} modules, repetitions counted; may have ${showLimit(MOST_MODULES)}`,
    );
  for (const [key, value] of Object.entries(space.hyperparameters)) {
    if (isValueChoice(value)) valueChoice(value);
    else if (typeof value !== 'string' && !Number.isFinite(value)) {
      throw new UserError(`hyperparameter "${key}" is ${JSON.stringify(value)}; must be a number, a word or a choice`);
    }
  }
  const frozen = deepFreeze({ ...space, task: { ...space.task, input: [...space.task.input] } });
  decisions(frozen);
  return frozen;
}

/** Puts the place before the message of a UserError thrown by `body`. */
export function within<T>(place: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${place}: ${error.message}`, { cause: error }) : error;
  }
}

/** Throws UserError unless it is a task: used where one comes from outside. */
export function checkTask(task: unknown): asserts task is Task {
  if (!isObject(task)) throw new UserError('task is missing; needs kind, input and outputs');
  const { kind, input, outputs, positions = [], vocabulary = 1, quantiles = [], head } = task;
  if (typeof kind !== 'string' || kind === '') {
    throw new UserError(`task is ${JSON.stringify(kind)}; must be a name, such as classification or regression`);
  }
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 1;
  if (!Array.isArray(input) || input.length < 1 || input.length > 3 || !input.every(isSize)) {
    const rule = 'must be [features], [channels, time] or [channels, height, width]';
    throw new UserError(`input is ${JSON.stringify(input)}; ${rule}`);
  }
  if (!isSize(outputs)) {
    throw new UserError(`outputs are ${JSON.stringify(outputs)}; must be a whole number of at least 1`);
  }
  if (!Array.isArray(positions) || positions.length > 2 || !positions.every(isSize)) {
    throw new UserError(`positions are ${JSON.stringify(positions)}; must be [], [time] or [height, width]`);
  }
  if (!isSize(vocabulary)) {
    throw new UserError(`vocabulary is ${JSON.stringify(vocabulary)}; must be a whole number of at least 1`);
  }
  if (head !== undefined && !(isObject(head) && [head.value, head.deviations].every((one) => typeof one === 'boolean')))
    throw new UserError(`head is ${JSON.stringify(head)}; must be { value, deviations }, each true or false`);
  const rise = (edges: unknown) =>
    Array.isArray(edges) && edges.every((edge, k) => Number.isFinite(edge) && (k === 0 || edge > edges[k - 1]));
  if (task.padded !== undefined && task.padded !== true) {
    throw new UserError(`padded is ${JSON.stringify(task.padded)}; must be true, or not there`);
  }
  if (!Array.isArray(quantiles) || !quantiles.every(rise)) {
    throw new UserError('quantiles are not as needed; must be a list of rising numbers for each feature');
  }
}
