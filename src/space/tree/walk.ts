import { largest, smallest } from '../../common/extremes.ts';
import type { Condition, DecisionValue, Domain, Hyperparameters, OpenTree, TreeArchitecture } from '../space.ts';
import { inDomain, nodesOf } from './domain.ts';
import { fieldsOf, isValueChoice } from './fields.ts';
import type { DagNode, Module, Read, ValueChoice } from './module.ts';
import { readsOf } from './reads.ts';

/**
 * The one walk over a tree with choices; everything that a space can do is derived from it. It goes in a fixed order
 * (a module's own values, then its children as they stand, then the hyperparameters) and asks `decide` at every choice
 * that it meets. A value: only what that value activates is entered, and the choice is replaced by it. Undefined: all
 * of it is entered and the choice stays open, under its full name.
 */
export interface Occurrence {
  /** With the prefixes of the enclosing scopes. */
  readonly name: string;
  readonly domain: Domain;
  /** What must hold for the walk to come here. */
  readonly path: readonly Condition[];
}

export type Decide = (occurrence: Occurrence) => DecisionValue | undefined;

export interface Walked {
  /** Without open choices and scopes where `decide` answered everywhere. */
  readonly root: Module;
  readonly hyperparameters: Hyperparameters;
}

/** Called for every dag that the walk enters, before its own choices. */
export type OnDag = (dag: Dag, place: Place) => void;

export type Dag = Extract<Module, { kind: 'dag' }>;

/** Where the walk stands. */
export interface Place {
  readonly prefix: string;
  /** Indices of the repeats entered since the innermost scope. */
  readonly indices: readonly number[];
  readonly path: readonly Condition[];
  readonly decide: Decide;
  readonly onDag: OnDag;
  /** Of the space: what constraints have left. */
  readonly domains: OpenTree['domains'];
}

export function walk(space: OpenTree, decide: Decide, onDag: OnDag = () => undefined): Walked {
  const place: Place = { prefix: '', indices: [], path: [], decide, onDag, domains: space.domains };
  const root = visit(space.root, place);
  const hyperparameters: Record<string, Hyperparameters[string]> = {};
  for (const [key, value] of Object.entries(space.hyperparameters)) {
    hyperparameters[key] = visitValue(value, place) as Hyperparameters[string];
  }
  return { root, hyperparameters };
}

/**
 * The walk of one architecture: `choose` is asked once for each active decision, in the order of the walk, and never
 * for an inactive one. This is the definition of "active".
 */
export function complete(
  space: OpenTree,
  choose: (name: string, domain: Domain) => DecisionValue,
): Walked & { readonly architecture: TreeArchitecture } {
  const chosen = new Map<string, DecisionValue>();
  const walked = walk(space, ({ name, domain }) => {
    const value = chosen.get(name) ?? frozen(choose(name, domain));
    chosen.set(name, value);
    return value;
  });
  return { ...walked, architecture: Object.freeze(Object.fromEntries(chosen)) };
}

/** Chosen inputs are a list. */
export const frozen = (value: DecisionValue): DecisionValue => Object.freeze(value);

/** Path and condition together: the same path if it implies the condition, undefined if they contradict each other. */
export function conjoin(path: readonly Condition[], condition: Condition): readonly Condition[] | undefined {
  if (path.some((known) => implies(known, condition))) return path;
  if (path.some((known) => 'is' in known && 'is' in condition && known.decision === condition.decision))
    return undefined;
  return [...path.filter((known) => !implies(condition, known)), condition];
}

export function implies(a: Condition, b: Condition): boolean {
  if (a.decision !== b.decision) return false;
  if ('is' in a) return 'is' in b && a.is === b.is;
  if ('above' in a) return 'above' in b && a.above >= b.above;
  return 'includes' in b && a.includes === b.includes;
}

/** Enters a branch; undefined where it cannot be reached. */
function enter(module: Module, place: Place, condition: Condition | undefined): Module | undefined {
  if (condition === undefined) return visit(module, place);
  const path = conjoin(place.path, condition);
  return path && visit(module, { ...place, path });
}

export function enterScope(name: string, place: Place): Place {
  return { ...place, prefix: [place.prefix + name, ...place.indices, ''].join('/'), indices: [] };
}

function visit(module: Module, place: Place): Module {
  switch (module.kind) {
    case 'choice':
      return visitChoice(module, place);
    case 'scope':
      return visit(module.body, enterScope(module.name, place));
    case 'repeat':
      return visitRepeat(module, place);
    case 'dag':
      place.onDag(module, place);
      return {
        ...module,
        entries: module.entries.map((entry) => visit(entry, place)),
        nodes: module.nodes.map((node, i) => visitNode(node, module.entries.length + i, place)),
        output: visitValue(module.output, place) as typeof module.output,
      };
    default:
      return visitPlain(module, place);
  }
}

/** A module of a kind that opens no branches: its values, then its children. */
function visitPlain(module: Module, place: Place): Module {
  const values: Readonly<Record<string, unknown>> = { ...module };
  const visited: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fieldsOf(module.kind))) {
    const found = values[key];
    if (field.holds === 'value') visited[key] = visitValue(found, place);
    else if (field.holds === 'module') visited[key] = visit(found as Module, place);
    else if (field.holds === 'modules') visited[key] = (found as readonly Module[]).map((child) => visit(child, place));
  }
  return { ...module, ...visited };
}

function visitChoice(module: Extract<Module, { kind: 'choice' }>, place: Place): Module {
  const name = place.prefix + module.name;
  const keys = Object.keys(module.options);
  const domain = narrowed(name, { kind: 'values', values: keys }, place);
  const key = place.decide({ name, domain, path: place.path });
  const options: Record<string, Module> = {};
  for (const [option, body] of Object.entries(module.options)) {
    if (key === undefined ? !inDomain(domain, option) : key !== option) continue;
    const visited = enter(body, place, { decision: name, is: option });
    if (visited) options[option] = visited;
  }
  return { kind: 'choice', name, options };
}

function visitRepeat(module: Extract<Module, { kind: 'repeat' }>, place: Place): Module {
  const times = visitValue(module.times, place);
  const [least, most] = isValueChoice(times) ? bounds(times) : [Number(times), Number(times)];
  const condition = (i: number): Condition | undefined =>
    i < least || !isValueChoice(module.times) ? undefined : { decision: place.prefix + module.times.name, above: i };
  const body = (i: number) => enter(module.body, { ...place, indices: [...place.indices, i] }, condition(i));

  // Without scopes all repetitions are alike, so one visit is enough.
  if (!hasScope(module.body)) {
    const visited = most > 0 ? body(0) : undefined;
    return { kind: 'repeat', times: times as number, body: visited ?? { kind: 'identity' } };
  }
  const bodies = Array.from({ length: most }, (_, i) => body(i));
  // Parameters are named by their path, in which the repetitions of a repeat and the children of a sequence look alike.
  return isValueChoice(times) ? module : { kind: 'sequential', children: bodies.filter((one) => one !== undefined) };
}

function visitNode(node: DagNode, to: number, place: Place): DagNode {
  return {
    ...node,
    ...visitRead(node, to, place),
    ...(node.further && { further: node.further.map((read) => visitRead(read, to, place)) }),
    body: visit(node.body, place),
  };
}

function visitRead({ from, edges }: Read, to: number, place: Place): Read {
  const choice = 'kind' in from ? from : undefined;
  const name = choice && place.prefix + choice.name;
  const domain =
    name === undefined ? undefined : narrowed(name, { kind: 'inputs', from: to, count: choice?.count ?? 0 }, place);
  const decided = name !== undefined && domain ? place.decide({ name, domain, path: place.path }) : from;
  // Where constraints leave only as many nodes as are read, nothing is open.
  const isClosed = decided === undefined && domain?.kind === 'inputs' && nodesOf(domain).length === domain.count;
  const taken = isClosed ? nodesOf(domain) : decided;
  const open = choice && name !== undefined ? { ...choice, name } : from;
  return {
    from: Array.isArray(taken) ? (taken as readonly number[]) : open,
    edges: edges.map((edge, j): Module => {
      if (Array.isArray(taken) && !taken.includes(j)) return { kind: 'zero', stride: 1 };
      const isOpen = name !== undefined && taken === undefined;
      return enter(edge, place, isOpen ? { decision: name, includes: j } : undefined) ?? edge;
    }),
  };
}

function visitValue(value: unknown, place: Place): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => visitValue(one, place));
  if (!isValueChoice(value)) return value;
  const name = place.prefix + value.name;
  const domain = narrowed(name, domainOf(value), place);
  return place.decide({ name, domain, path: place.path }) ?? openValue(value, name, domain);
}

const narrowed = (name: string, domain: Domain, { domains }: Place): Domain => domains?.[name] ?? domain;

/** The choice with what its domain has left; a single value is no choice. */
function openValue(choice: ValueChoice, name: string, domain: Domain): unknown {
  if (domain.kind !== 'values') return { ...choice, name };
  return domain.values.length === 1 ? domain.values[0] : { kind: 'pick', name, values: domain.values };
}

function domainOf(choice: ValueChoice): Domain {
  if (choice.kind === 'pick') return { kind: 'values', values: choice.values };
  const { kind, min, max, log } = choice;
  return { kind, min, max, log };
}

/** The least and the greatest number that a choice can be. */
function bounds(choice: ValueChoice): readonly [number, number] {
  if (choice.kind !== 'pick') return [choice.min, choice.max];
  const numbers = choice.values.map(Number);
  return [smallest(numbers), largest(numbers)];
}

function hasScope(module: Module): boolean {
  return module.kind === 'scope' || childrenOf(module).some(hasScope);
}

/** The modules directly inside a module, in the order of the walk. */
export function childrenOf(module: Module): readonly Module[] {
  switch (module.kind) {
    case 'sequential':
      return module.children;
    case 'stack':
      return module.cells;
    case 'residual':
      return [module.body, module.shortcut];
    case 'repeat':
    case 'scope':
    case 'shared':
    case 'rows':
    case 'recurrentCell':
      return [module.body];
    case 'auxiliary':
      return [module.body, module.head];
    case 'choice':
      return Object.values(module.options);
    case 'dag':
      return [
        ...module.entries,
        ...module.nodes.flatMap((node) => [...readsOf(node).flatMap(({ edges }) => edges), node.body]),
      ];
    default:
      return [];
  }
}

const RECURRENT: readonly Module['kind'][] = ['recurrent', 'recurrentCell', 'recurrentGraph'];

/** Whether a network has a layer that takes a step for each position and remembers what came before. */
export const isRecurrent = (module: Module): boolean =>
  RECURRENT.includes(module.kind) || childrenOf(module).some(isRecurrent);
