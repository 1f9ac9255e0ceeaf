import type { Command } from 'commander';
import { showCount } from '../report/numbers.ts';
import { count } from '../space/index.ts';
import type { SpaceDefinition, Task } from '../space/space.ts';
import { SPACES } from '../space/spaces/index.ts';
import { configSchema } from '../study/config-schema.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith spaces`: [{ name, description, options, size }]; size for 32x32 color images of 10 classes. */
export function addSpaces(program: Command, shell: Shell): void {
  define(program, 'spaces', 'List the search spaces with their options and sizes', [
    'netsmith spaces',
    'netsmith spaces --schema > netsmith.schema.json',
  ])
    .option('--schema', 'print the JSON Schema of netsmith.config.json instead', false)
    .action((options: { readonly schema: boolean }, command: Command) => {
      const output = outputOf(command, shell);
      if (options.schema) {
        const schema = configSchema();
        output.result(schema, JSON.stringify(schema, null, 2));
        return;
      }
      const spaces = Object.values(SPACES).map((space: SpaceDefinition) => ({
        name: space.name,
        description: space.description,
        options: space.defaults,
        size: sizeOf(space),
      }));
      const rows = spaces.map(({ name, description, options, size }) => [
        name,
        size === null ? 'continuous' : showCount(size),
        Object.entries(options)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
        description,
      ]);
      output.result(spaces, table(['name', 'size', 'options', 'description'], rows));
    });
}

const EXAMPLE: Task = { kind: 'classification', input: [3, 32, 32], outputs: 10 };

/** The number of architectures (rounded beyond 2^53); null where it is not countable. */
function sizeOf(space: SpaceDefinition): number | null {
  const size = count(space.create(EXAMPLE));
  return size === undefined ? null : Number(size);
}
