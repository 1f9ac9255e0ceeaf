/**
 * Which ONNX operators a gradient is best made of on the CPU: in the portable layout, and where the processor has ONNX Runtime's
 * blocked operators, in theirs. Prints tables of milliseconds, the least of many runs in turns, with what the lowerings in
 * src/engine/onnx/ take in bold, and a ~ where other processes disturbed all runs; docs/engine.md repeats them.
 *
 *     npx node --conditions=netsmith-source bench/engine-forms.ts [--threads 2] [--only TEXT]
 */
import { probeBlock } from '../src/engine/onnx/blocked/probe.ts';
import { nodeRuntime } from '../src/engine/runtime/node.node.ts';
import { blockedFamilies } from './engine-forms/blocked.ts';
import { filterGradientFamilies } from './engine-forms/blocked-filters.ts';
import { type Family, measure, type Size } from './engine-forms/measure.ts';
import { PORTABLE } from './engine-forms/portable.ts';
import { parseFlags } from './support/flags.ts';

const flags = parseFlags({ threads: { type: 'string', default: '2' }, only: { type: 'string', default: '' } });
const threads = Number(flags.threads);
/** The stages of a network: each with the given number of floats. */
const SIZES: readonly Size[] = [
  [64, 16, 32, 32],
  [64, 32, 16, 16],
  [64, 64, 8, 8],
];
const say = (line: string) => process.stdout.write(`${line}\n`);

/** A row: forms, and for each size their times in the same order. */
async function row({ title, taken, at }: Family): Promise<string> {
  const cells: string[] = [];
  let names: readonly string[] = [];
  for (const size of SIZES) {
    const forms = await measure(at(size), threads);
    if (names.length === 0) names = forms.map(({ name }) => name);
    const shown = names.map((name) => {
      const form = forms.find((f) => f.name === name);
      if (form === undefined) return '-';
      const wrong = form.difference < 1e-4 ? '' : ` DIFFERS by ${form.difference.toExponential(1)}`;
      return `${form.disturbed ? '~' : ''}${form.ms.toFixed(form.ms < 1 ? 2 : 1)}${wrong}`;
    });
    cells.push(shown.join(' / '));
  }
  const forms = names.map((name) => (taken.includes(name) ? `**${name}**` : name)).join(' / ');
  return `| ${title}: ${forms} | ${cells.join(' | ')} |`;
}

async function tables(families: readonly Family[]): Promise<void> {
  for (const table of new Set(families.map((family) => family.table))) {
    say(`\n| ${table} | ${SIZES.map((size) => `[${size}]`).join(' | ')} |\n|---|${SIZES.map(() => '---|').join('')}`);
    for (const family of families) if (family.table === table) say(await row(family));
  }
}

const options = { device: 'cpu', threads: 1, optimization: 'none', keep: [] } as const;
const block = await probeBlock(nodeRuntime(), options);
const chapters = {
  'The portable layout': PORTABLE,
  [`The blocked layout, blocks of ${block}`]:
    block === 0 ? [] : [...filterGradientFamilies(block), ...blockedFamilies(block)],
};
for (const [chapter, families] of Object.entries(chapters)) {
  say(`\n${chapter}`);
  await tables(families.filter(({ table, title }) => `${chapter}, ${table}: ${title}`.includes(flags.only)));
}
