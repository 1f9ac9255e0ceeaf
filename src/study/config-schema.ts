import { z } from 'zod';
import type { Json } from '../common/json.ts';
import { studySchema } from './spec.ts';

/** Where the package has the schema, from its root. */
export const SCHEMA_FILE = 'schema/netsmith.config.schema.json';

/** The JSON Schema of `netsmith.config.json`, for editors. `$schema`, which names it there, is no setting. */
export function configSchema(): Readonly<Record<string, Json>> {
  const schema = z.toJSONSchema(studySchema, { io: 'input' });
  return JSON.parse(
    JSON.stringify({
      $schema: schema.$schema,
      title: 'netsmith.config.json',
      ...schema,
      properties: { $schema: { type: 'string' }, ...schema.properties },
    }),
  );
}
