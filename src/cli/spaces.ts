import type { Command } from 'commander';
import { publishedCosts } from '../app/published.ts';
import { loadAnySpace } from '../app/space-file.ts';
import { unknownName } from '../common/closest.ts';
import { showCount } from '../report/numbers.ts';
import { GENOME_SPACES, type GenomeSpaceDefinition } from '../space/genome/definition.ts';
import { count } from '../space/index.ts';
import type { SpaceDefinition, Task } from '../space/space.ts';
import { SPACES } from '../space/spaces/index.ts';
import { configSchema } from '../study/config-schema.ts';
import { isOwnFile } from '../study/spec.ts';
import { optionsTable, presetsText } from '../terminal/options-table.ts';
import { table } from '../terminal/output.ts';
import { publishedText } from '../terminal/published-table.ts';
import { define, outputOf, type Shell } from './command.ts';

/**
 * `netsmith spaces [NAME|FILE]`: [{ name, description, options: [{ name, type, default, min?, max?, above?, below?, words? }], size }]; size for
 * 32x32 color images of 10 classes, of a space for texts for 64 characters out of 65. Of one space with published architectures also published: [{ name, text, paper, source, options, params,
 * flops, quoted? }].
 */
export function addSpaces(program: Command, shell: Shell): void {
  define(program, 'spaces [name]', 'List the search spaces, or the options of one (a name, or a file of yours)', [
    'netsmith spaces',
    'netsmith spaces darts',
    'netsmith spaces nasnet --json',
    'netsmith spaces --schema > netsmith.schema.json',
  ])
    .option('--schema', 'print the JSON Schema of netsmith.config.json instead', false)
    .action(async (name: string | undefined, options: { readonly schema: boolean }, command: Command) => {
      const output = outputOf(command, shell);
      if (options.schema) {
        const schema = configSchema();
        output.result(schema, JSON.stringify(schema, null, 2));
        return;
      }
      const chosen =
        name === undefined
          ? [...Object.values<AnyDefinition>(SPACES), ...Object.values(GENOME_SPACES)]
          : [await spaceOf(name)];
      const spaces = chosen.map((space) => ({
        name: space.name,
        description: space.description,
        options: (space.rules?.() ?? []).map((rule) => ({ ...rule })),
        size: sizeOf(space),
        ...(name !== undefined &&
          'published' in space &&
          space.published && { published: publishedCosts(space, space.published.task ?? EXAMPLE) }),
      }));
      const [one] = spaces;
      const text =
        name === undefined || one === undefined
          ? table(
              ['name', 'size', 'options', 'description'],
              spaces.map(({ name, description, options, size }) => [
                name,
                sizeText(size),
                presetsText(options),
                description,
              ]),
            )
          : [
              `${one.name}: ${one.description}`,
              optionsTable(one.options),
              ...(one.published ? [publishedText(one.published, publishedTask(chosen[0]))] : []),
            ].join('\n\n');
      output.result(spaces, text);
    });
}

type AnyDefinition = SpaceDefinition | GenomeSpaceDefinition;

function spaceOf(name: string): Promise<AnyDefinition> {
  const known = Object.keys({ ...SPACES, ...GENOME_SPACES });
  if (!isOwnFile(name) && !known.includes(name)) throw unknownName('unknown space', name, known);
  return loadAnySpace(name);
}

const publishedTask = (space: AnyDefinition | undefined): Task =>
  (space !== undefined && 'published' in space ? space.published?.task : undefined) ?? EXAMPLE;

const sizeText = (size: number | null) => (size === null ? 'not counted' : showCount(size));

const EXAMPLE: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };

/** A space that takes no images may be for language models, or for classes of texts. */
const TEXT: Task = { kind: 'text', input: [64], outputs: 10, vocabulary: 65, padded: true };
const LANGUAGE: Task = { kind: 'language-model', input: [64], outputs: 65, vocabulary: 65, positions: [64] };

/** The number of architectures (rounded beyond 2^53); null where it is not countable, or a space of one's own does not take images. */
function sizeOf(space: AnyDefinition): number | null {
  if ('open' in space) return null;
  for (const task of Object.hasOwn(SPACES, space.name) ? [EXAMPLE, LANGUAGE, TEXT] : [EXAMPLE]) {
    try {
      const size = count(space.create(task));
      return size === undefined ? null : Number(size);
    } catch {
      // It is for another task.
    }
  }
  return null;
}
