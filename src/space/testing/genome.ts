/**
 * A test fixture, not for users: growing networks, a miniature of NEAT (Stanley & Miikkulainen 2002). It represents all spaces without
 * decisions and without a largest member. A member contains its weights, so it is scored by its outputs (`activate`) and not trained.
 * The space has no `build`: a module has no place for given weights.
 *
 * Differs: a hidden node's number is derived from the connection that it splits, not from a global counter, so the same innovation
 * has the same number in every process; a new node reads all inputs; there are no disabled genes and no species; crossover has no
 * fitness, so the child has the structure of the first parent.
 */
import { z } from 'zod';
import { invalid } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { type Rng, rng } from '../../common/random.ts';
import type { SearchSpace } from '../search-space.ts';
import type { Architecture } from '../space.ts';

const FIRST_HIDDEN = 1000;

/** Nodes by number, connections by their ends. Inputs are 0 to I−1, the bias is I, outputs follow; hidden nodes are from 1,000 on. */
const genomeSchema = z.strictObject({
  /** `place`: between the nodes that it was put between; 0 is an input's, 1 an output's. */
  hidden: z.array(z.strictObject({ id: z.int().min(FIRST_HIDDEN), place: z.number().gt(0).lt(1) })),
  connections: z.array(z.strictObject({ from: z.int().min(0), to: z.int().min(0), weight: z.number() })),
});
type Draft = z.infer<typeof genomeSchema>;
/** A member: sorted, frozen. */
export type Genome = { readonly [Part in keyof Draft]: readonly Readonly<Draft[Part][number]>[] };

export interface GrowingSpace extends SearchSpace {
  sample(rng: Rng): Genome;
  check(found: unknown): Genome;
  mutate(architecture: Architecture, rng: Rng): Genome;
}

/** Hidden nodes of a sample. */
const MOST_HIDDEN = 3;

export function growingSpace(name: string, inputs: number, outputs: number): GrowingSpace {
  const firstOutput = inputs + 1;
  const sources = Array.from({ length: firstOutput }, (_, id) => id);
  const isSource = (id: number) => id < firstOutput;
  const place = `architecture of space "${name}"`;

  function placesOf(hidden: Genome['hidden']): ReadonlyMap<number, number> {
    const fixed = Array.from({ length: firstOutput + outputs }, (_, id) => [id, isSource(id) ? 0 : 1] as const);
    return new Map([...fixed, ...hidden.map((node) => [node.id, node.place] as const)]);
  }

  function check(found: unknown): Genome {
    const read = genomeSchema.safeParse(found);
    if (!read.success) {
      const [issue] = read.error.issues;
      throw invalid(place, `is ${JSON.stringify(found)}`, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
    }
    const { hidden, connections } = read.data;
    const places = placesOf(hidden);
    for (const [i, one] of connections.entries()) {
      if (!((places.get(one.from) ?? 1) < (places.get(one.to) ?? 0)))
        throw invalid(place, `connections[${i}] is ${JSON.stringify(one)}`, 'must lead forward between two nodes');
    }
    const ends = new Set(connections.map(({ from, to }) => `${from}>${to}`));
    if (ends.size < connections.length || places.size < firstOutput + outputs + hidden.length)
      throw invalid(place, 'has a node or a connection twice', 'each may be there once');
    return deepFreeze({
      hidden: hidden.sort((a, b) => a.id - b.id),
      connections: connections.sort((a, b) => a.from - b.from || a.to - b.to),
    });
  }

  function smallest(stream: Rng): Genome {
    const connections = sources.flatMap((from) =>
      Array.from({ length: outputs }, (_, i) => ({ from, to: firstOutput + i, weight: rounded(stream.normal()) })),
    );
    return check({ hidden: [], connections });
  }

  /** Replaces a connection by a node that also reads all inputs; the weight moves to the connection that leaves the node. */
  function withNode(genome: Genome, stream: Rng): Genome | undefined {
    if (genome.connections.length === 0) return undefined;
    const split = stream.pick(genome.connections);
    const places = placesOf(genome.hidden);
    const [start, end] = [places.get(split.from) ?? 0, places.get(split.to) ?? 1];
    const middle = (start + end) / 2;
    if (middle <= start || middle >= end) return undefined; // Nothing is left between them.
    const taken = new Set(genome.hidden.map(({ id }) => id));
    for (let again = 0; ; again++) {
      const id = FIRST_HIDDEN + rng('innovation', split.from, split.to, again).int(2 ** 31);
      if (taken.has(id)) continue;
      const ways = [
        ...sources.map((from) => ({ from, to: id, weight: from === split.from ? 1 : rounded(stream.normal()) })),
        ...(isSource(split.from) ? [] : [{ from: split.from, to: id, weight: 1 }]),
        { from: id, to: split.to, weight: split.weight },
      ];
      const others = genome.connections.filter((one) => one !== split);
      return { hidden: [...genome.hidden, { id, place: middle }], connections: [...others, ...ways] };
    }
  }

  function withConnection(genome: Genome, stream: Rng): Genome | undefined {
    const places = placesOf(genome.hidden);
    const taken = new Set(genome.connections.map(({ from, to }) => `${from}>${to}`));
    const free = [...places].flatMap(([from, start]) =>
      [...places].flatMap(([to, end]) => (start < end && !taken.has(`${from}>${to}`) ? [{ from, to }] : [])),
    );
    if (free.length === 0) return undefined;
    return {
      ...genome,
      connections: [...genome.connections, { ...stream.pick(free), weight: rounded(stream.normal()) }],
    };
  }

  function perturbed(genome: Genome, stream: Rng): Genome {
    const chosen = stream.int(genome.connections.length);
    const connections = genome.connections.map((one, i) => {
      if (i !== chosen && stream.float() < 0.5) return one;
      const step = rounded(stream.normal()) || 0.001;
      return { ...one, weight: rounded(one.weight + step) };
    });
    return { ...genome, connections };
  }

  function mutate(architecture: Architecture, stream: Rng): Genome {
    const genome = check(architecture);
    const kind = stream.float();
    const grown = kind < 0.1 ? withNode(genome, stream) : kind < 0.3 ? withConnection(genome, stream) : undefined;
    return check(grown ?? perturbed(genome, stream));
  }

  return {
    name,
    check,
    mutate,
    sample(stream) {
      let genome = smallest(stream);
      for (let left = stream.int(MOST_HIDDEN + 1); left > 0; left--) genome = withNode(genome, stream) ?? genome;
      return check(genome);
    },
    crossover(first, second, stream) {
      const [a, b] = [check(first), check(second)];
      const weights = new Map(b.connections.map(({ from, to, weight }) => [`${from}>${to}`, weight]));
      const connections = a.connections.map((one) => {
        const other = weights.get(`${one.from}>${one.to}`) ?? one.weight;
        return { ...one, weight: stream.float() < 0.5 ? one.weight : other };
      });
      return check({ ...a, connections });
    },
    format(architecture) {
      const { hidden, connections } = check(architecture);
      const nodes = hidden.map(({ id, place: at }) => `${id}@${at}`);
      return [...nodes, ...connections.map(({ from, to, weight }) => `${from}>${to}:${weight}`)].join(' ');
    },
    parse(text) {
      const parts = text.trim().split(/\s+/);
      return check({
        hidden: parts.flatMap((part) => {
          const [id, at] = part.split('@').map(Number);
          return part.includes('@') ? [{ id, place: at }] : [];
        }),
        connections: parts.flatMap((part) => {
          const [from, to, weight] = part.split(/[>:]/).map(Number);
          return part.includes('@') ? [] : [{ from, to, weight }];
        }),
      });
    },
  };

  function rounded(value: number): number {
    return Math.round(value * 1000) / 1000 + 0; // Not -0: JSON has none.
  }
}

/** What the network answers: a value from 0 to 1 for each output. A network of `inputs.length` inputs. */
export function activate({ hidden, connections }: Genome, inputs: readonly number[], outputs = 1): readonly number[] {
  const values = new Map([...inputs, 1].map((value, id) => [id, value]));
  const inOrder = hidden.toSorted((a, b) => a.place - b.place || a.id - b.id).map(({ id }) => id);
  const last = Array.from({ length: outputs }, (_, i) => inputs.length + 1 + i);
  for (const id of [...inOrder, ...last]) {
    const incoming = connections.filter(({ to }) => to === id);
    const sum = incoming.reduce((total, { from, weight }) => total + weight * (values.get(from) ?? 0), 0);
    values.set(id, 1 / (1 + Math.exp(-4.9 * sum)));
  }
  return last.map((id) => values.get(id) ?? 0);
}
