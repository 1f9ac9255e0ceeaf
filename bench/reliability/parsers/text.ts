/** Parsers of text: architectures, spaces, configuration, JSON. */

import { parseJson } from '../../../src/common/json.ts';
import { type Rng, rng } from '../../../src/common/random.ts';
import {
  count,
  formatArchitecture,
  parseArchitecture,
  type Space,
  sample,
  spaceFromJson,
  spaceToJson,
} from '../../../src/space/index.ts';
import { SPACES } from '../../../src/space/spaces/index.ts';
import { checkSettings } from '../../../src/study/spec.ts';
import { mutateJson, mutateText } from '../mutate.ts';
import type { Parser } from '../parser.ts';

const IMAGES = { kind: 'classification', input: [3, 32, 32], outputs: 10 } as const;
const TABLE = { kind: 'classification', input: [8], outputs: 3 } as const;

function spaces(): readonly Space[] {
  return Object.values(SPACES).map((definition) => definition.create(definition.name === 'mlp' ? TABLE : IMAGES, {}));
}

/** A parsed value, written and read again, must be the same. */
export const architectures: Parser = {
  name: 'architectures',
  weight: 30,
  async open() {
    const all = spaces();
    return (random: Rng) => {
      const space = random.pick(all);
      const architecture = sample(space, random);
      const written = random.float() < 0.3 ? JSON.stringify(architecture) : formatArchitecture(space, architecture);
      const text = mutateText(written, random);
      return {
        text,
        async read() {
          const found = parseArchitecture(space, text);
          const again = parseArchitecture(space, formatArchitecture(space, found));
          return { found, again, same: sameOrThrow(found, again) };
        },
      };
    };
  },
};

function sameOrThrow(a: unknown, b: unknown): true {
  if (JSON.stringify(a) !== JSON.stringify(b))
    throw new Error('the text of an architecture says something else when it is read');
  return true;
}

export const spaceTexts: Parser = {
  name: 'spaces',
  weight: 10,
  async open() {
    const all = spaces().map(spaceToJson);
    return (random: Rng) => {
      const json = mutateJson(random.pick(all), random);
      const label = random.int(2 ** 31);
      return {
        text: JSON.stringify(json)?.slice(0, 2000) ?? '',
        async read() {
          const space = spaceFromJson(json);
          return { space: spaceToJson(space), members: String(count(space)), member: sample(space, rng(label)) };
        },
      };
    };
  },
};

export const configurations: Parser = {
  name: 'configuration',
  weight: 10,
  async open() {
    const valid = {
      data: 'csv',
      dataDir: 'd.csv',
      label: 'y',
      space: 'mlp',
      spaceOptions: { width: 16 },
      strategy: 'tpe',
      strategyOptions: { initial: 10 },
      trials: 20,
      time: '10m',
      until: 'accuracy=0.9',
      maxParams: 1000,
      epochs: 3,
      batchSize: 16,
      learningRate: 0.01,
      optimizer: 'adam',
      seed: 1,
      workers: 2,
      memory: '1GB',
      objective: ['accuracy'],
    };
    return (random: Rng) => {
      const text =
        random.float() < 0.5
          ? mutateText(JSON.stringify(valid), random)
          : (JSON.stringify(mutateJson(valid, random)) ?? '');
      return { text, read: async () => checkSettings(parseJson(text, 'netsmith.config.json'), (name) => name) };
    };
  },
};

export const json: Parser = {
  name: 'JSON',
  weight: 10,
  async open() {
    const valid = JSON.stringify({ a: [1, 2.5e-3, { b: null, c: 'text \u00e9 \\"' }], d: true }, null, 1);
    return (random: Rng) => {
      const text = mutateText(random.float() < 0.05 ? '['.repeat(random.int(100_000)) : valid, random);
      return { text: text.slice(0, 500), read: async () => parseJson(text, 'file') };
    };
  },
};
