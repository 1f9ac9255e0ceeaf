// Writes biome.rooms.json: the import rule between the rooms of src/ (docs/ARCHITECTURE.md) as Biome overrides.
// `node scripts/rooms.ts` after a change; test/rooms.test.ts fails when the file is not what this would write.
import { writeFileSync } from 'node:fs';

/** What each room may import, itself and common/ aside. A trailing file name allows that file alone. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  common: [],
  space: [],
  strategy: ['space', 'model'],
  estimate: ['space', 'model', 'network', 'graph', 'engine', 'train', 'task', 'data', 'device'],
  oneshot: ['space', 'model', 'network', 'graph', 'engine', 'train', 'task', 'data', 'device', 'strategy', 'estimate'],
  study: [
    'space',
    'strategy',
    'model',
    'measure',
    'task',
    'estimate/estimator.ts',
    'oneshot/names.ts',
    'estimate/tabular/table.ts',
    'data',
    'train/settings.ts',
    'device/index.ts',
    'control/presets.ts',
  ],
  model: ['graph', 'engine'],
  network: ['space', 'graph'],
  measure: ['space', 'graph', 'network'],
  graph: [],
  engine: ['graph'],
  task: ['space', 'graph'],
  train: ['space', 'task', 'graph', 'engine', 'network', 'data'],
  data: ['task'],
  baseline: ['model', 'task', 'data', 'graph'],
  control: ['space', 'task', 'graph', 'engine', 'network', 'train', 'data', 'estimate'],
  device: ['graph', 'engine'],
  report: [
    'space',
    'strategy',
    'estimate',
    'study',
    'network',
    'graph',
    'engine',
    'train',
    'task',
    'data',
    'device',
    'baseline',
    'control',
    'model',
  ],
};
/** What shows progress and asks questions on a terminal: runs on Node alone, and knows no study in a folder. */
const TERMINAL = { room: 'terminal', allowed: ['space', 'strategy', 'study', 'data', 'report'] } as const;
/** Puts the others together, on Node: all that the command line and the library share. Only cli/ is above it. */
const TOP = 'app';
const ROOMS = [...Object.keys(MAY_IMPORT), TERMINAL.room, TOP, 'cli'];

/** The entry points of the package that run in a browser; `src/node.ts` is the one that does not. */
const BROWSER_ENTRIES = ['src/index.ts', 'src/web.ts'];

/** Packages that only Node can load; everything else that is installed runs in a browser too. */
const NODE_ONLY = ['sharp', 'onnxruntime-node', 'log-update', 'commander'];

/** May use Node: adapters, tests, and what only tests import. */
const NODE_FILES = ['*.node.ts', '*.test.ts', 'testing/**'];

interface Pattern {
  readonly group: readonly string[];
  readonly message: string;
}
interface Override {
  readonly includes: readonly string[];
  readonly linter: { readonly rules: { readonly style: object } };
}

/** One override for what runs anywhere, one for the adapters, for each room. */
export function roomOverrides(): readonly Override[] {
  const overrides: Override[] = [];
  for (const [room, allowed] of Object.entries(MAY_IMPORT)) {
    const rooms = closedTo(room, allowed);
    const node = {
      group: [...NODE_ONLY, 'node:*', 'node:*/**', '**/*.node.ts', '**/testing/**'],
      message: 'Only *.node.ts files, tests, terminal/, app/ and cli/ may use what only Node can do; pass it in.',
    };
    overrides.push(restrict([`src/${room}/**`, ...NODE_FILES.map((file) => `!src/${room}/**/${file}`)], [rooms, node]));
    overrides.push(restrict([`src/${room}/**/*.node.ts`], [rooms]));
  }
  overrides.push(restrict([`src/${TERMINAL.room}/**`], [closedTo(TERMINAL.room, TERMINAL.allowed)]));
  const adapters = {
    group: [...NODE_ONLY, 'node:*', '**/*.node.ts', `./${TERMINAL.room}/**`, `./${TOP}/**`, './cli/**'],
    message: `The entry points for browsers import no *.node.ts file, no ${TERMINAL.room}/, no ${TOP}/ and no cli/.`,
  };
  overrides.push(restrict(BROWSER_ENTRIES, [adapters]));
  overrides.push(restrict(['src/node.ts'], [{ group: ['./cli/**'], message: 'No entry point imports cli/.' }]));
  const cli = { group: ['**/../cli/**'], message: `${TOP}/ may import anything but cli/.` };
  overrides.push(restrict([`src/${TOP}/**`], [cli]));
  return overrides;
}

/** The rooms that a room may not import. */
function closedTo(room: string, allowed: readonly string[]): Pattern {
  const closed = ROOMS.filter((other) => other !== room && other !== 'common' && !allowed.includes(other));
  const group = [
    ...closed.map((other) => `**/../${other}/**`),
    ...allowed.filter((path) => path.includes('/')).map((path) => `!**/../${path}`),
  ];
  const names = allowed.length === 0 ? 'nothing' : allowed.join(', ');
  return { group, message: `${room}/ may import ${names}${room === 'common' ? '' : ' (and common/)'}.` };
}

function restrict(includes: readonly string[], patterns: readonly Pattern[]): Override {
  const noRestrictedImports = { level: 'error', options: { patterns } } as const;
  return { includes, linter: { rules: { style: { noRestrictedImports } } } };
}

/** The text of biome.rooms.json. */
export function roomsFile(): string {
  return `${JSON.stringify({ overrides: roomOverrides() }, null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename)
  writeFileSync(new URL('../biome.rooms.json', import.meta.url), roomsFile());
