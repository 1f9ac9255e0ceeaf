import { UserError } from '../../common/errors.ts';
import { largest } from '../../common/extremes.ts';
import type { Json } from '../../common/json.ts';
import type { Hyperparameters, Space, SpaceOptions } from '../space.ts';
import { checkTask, createSpace, within } from './define.ts';
import {
  checkedChoice,
  checkName,
  FIELDS,
  type Field,
  fieldsOf,
  isModule,
  isObject,
  isValueChoice,
  node,
  valueChoice,
} from './fields.ts';
import type { Module, Value } from './module.ts';
import { childrenOf } from './walk.ts';

/**
 * A space as plain JSON: the tree itself, its task, options and hyperparameters. Its own text form is code and stays
 * behind.
 */
export function spaceToJson(space: Space): Json {
  const { name, task, options, root, hyperparameters } = space;
  return JSON.parse(JSON.stringify({ name, task, options, root, hyperparameters }));
}

/** The space that a JSON value describes; every node passes the checks of its builder. Throws UserError with the place. */
export function spaceFromJson(found: unknown): Space {
  if (!isObject(found)) throw new UserError(`space: is ${excerpt(found)}; must be an object`);
  const { name, task, options = {}, root, hyperparameters = {} } = found;
  if (typeof name !== 'string') throw new UserError(`space: name is ${excerpt(name)}; must be a text`);
  return within(`space "${name}"`, () => {
    checkTask(task);
    for (const [key, value] of Object.entries({ options, hyperparameters })) {
      if (!isObject(value)) throw new UserError(`${key} is ${excerpt(value)}; must be an object`);
      for (const one of Object.keys(value)) checkName(`a name in ${key}`, one);
    }
    for (const [key, value] of Object.entries(options as object))
      if (value === null || typeof value === 'object')
        throw new UserError(`option "${key}" is ${excerpt(value)}; must be a number, a text or true or false`);
    const { kind, input, outputs, positions, vocabulary, padded, quantiles, head } = task;
    const tree = moduleFromJson(root);
    const extent = extentOf(tree);
    if (extent > MOST_MODULES)
      throw new UserError(`has ${extent} modules, repetitions counted; at most ${MOST_MODULES} are read`);
    return createSpace({
      name,
      task: {
        ...{ kind, input, outputs },
        ...(positions !== undefined && { positions }),
        ...(vocabulary !== undefined && { vocabulary }),
        ...(padded !== undefined && { padded }),
        ...(quantiles !== undefined && { quantiles }),
        ...(head !== undefined && { head }),
      },
      options: structuredClone(options) as SpaceOptions,
      root: tree,
      hyperparameters: structuredClone(hyperparameters) as Hyperparameters,
    });
  });
}

/** Far beyond what can be trained: a repeat of a billion in an untrusted file would never end. */
const MOST_MODULES = 100_000;

/** How many modules a tree has where every repeat is as long as it can be. */
function extentOf(module: Module): number {
  const inside = childrenOf(module).reduce((sum, child) => sum + extentOf(child), 1);
  return module.kind === 'repeat' ? inside * Math.max(1, mostOf(module.times)) : inside;
}

function mostOf(times: Value<number>): number {
  if (typeof times === 'number') return times;
  return times.kind === 'pick' ? largest(times.values.map(Number)) : times.max;
}

/**
 * The tree that a JSON value describes, checked and frozen; `place` begins the errors. A choice needs two options, so a
 * resolved network with choices in it is read only with `resolved`.
 */
export function moduleFromJson(value: unknown, place = 'root', { resolved = false } = {}): Module {
  const read = (child: unknown, at: string) => moduleFromJson(child, at, { resolved });
  const found = withCurrentKind(value);
  if (!isModule(found)) {
    const kinds = Object.keys(FIELDS).join(', ');
    throw new UserError(`${place}: is ${excerpt(found)}; must be a module, of kind ${kinds}`);
  }
  const values: Readonly<Record<string, unknown>> = found;
  const built: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fieldsOf(found.kind))) {
    built[key] = readField(field, values[key], `${place}.${key}`, read);
  }
  return within(place, () => {
    const module = { ...found, ...built };
    return module.kind === 'choice' && !resolved ? checkedChoice(module) : node(module);
  });
}

/** Kinds under the names that studies of older versions have stored. */
const OLD_KINDS: ReadonlyMap<unknown, Module['kind']> = new Map([['factorisedReduce', 'factorizedReduce']]);

function withCurrentKind(found: unknown): unknown {
  const kind = isObject(found) ? OLD_KINDS.get(found.kind) : undefined;
  return kind === undefined ? found : { ...Object(found), kind };
}

type Read = (value: unknown, place: string) => Module;

/** Reads the modules inside a field; what has the wrong form is left for `node` to refuse. */
function readField(field: Field, found: unknown, place: string, read: Read): unknown {
  switch (field.holds) {
    case 'value':
      if (Array.isArray(found) && found.length <= 2)
        return found.map((one: unknown) => readField({ ...field }, one, place, read));
      return isValueChoice(found) ? within(place, () => valueChoice(structuredClone(found))) : found;
    case 'name':
      return found;
    case 'cell':
      return structuredClone(found);
    case 'module':
      return read(found, place);
    case 'modules':
      return Array.isArray(found) ? readList(found, place, read) : found;
    case 'options':
      if (!isObject(found)) return found;
      return Object.fromEntries(Object.entries(found).map(([key, option]) => [key, read(option, `${place}.${key}`)]));
    case 'nodes':
      if (!Array.isArray(found)) return found;
      return found.map((one: unknown, i) => {
        if (!isObject(one)) return one;
        const there = `${place}[${i}]`;
        const { further } = one;
        return {
          ...readRead(one, there, read),
          body: read(one.body, `${there}.body`),
          ...(Array.isArray(further) && {
            further: further.map((more: unknown, k) =>
              isObject(more) ? readRead(more, `${there}.further[${k}]`, read) : more,
            ),
          }),
        };
      });
    default:
      return field satisfies never;
  }
}

function readRead(found: Readonly<Record<string, unknown>>, place: string, read: Read) {
  const { from, edges } = found;
  return {
    ...found,
    from: structuredClone(from),
    edges: Array.isArray(edges) ? readList(edges, `${place}.edges`, read) : edges,
  };
}

const readList = (found: readonly unknown[], place: string, read: Read) =>
  found.map((child, i) => read(child, `${place}[${i}]`));

function excerpt(found: unknown): string {
  const text = JSON.stringify(found) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
