/** The encoding of a table as data from outside: what an exported model's metadata must hold. */
import { z } from 'zod';
import type { TableEncoding } from './dataset.ts';

const name = z.string();
const distinct = (names: readonly string[]) => new Set(names).size === names.length;

const columnSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    name,
    kind: z.literal('number'),
    missing: z.number(),
    offset: z.number().exactOptional(),
    decimal: z.literal(',').exactOptional(),
    unit: z.string().exactOptional(),
    markers: z.array(z.string()).exactOptional(),
  }),
  z.looseObject({
    name,
    kind: z.literal('date'),
    format: z.enum(['ymd', 'dmy', 'mdy', 'time']),
    missing: z.number(),
    offset: z.number(),
    timed: z.boolean().exactOptional(),
    markers: z.array(z.string()).exactOptional(),
  }),
  z.looseObject({
    name,
    kind: z.literal('category'),
    categories: z.array(z.string()).refine(distinct),
    other: z.boolean().exactOptional(),
  }),
]);

export const encodingSchema: z.ZodType<TableEncoding> = z.looseObject({
  columns: z
    .array(columnSchema)
    .min(1)
    .refine((columns) => distinct(columns.map((column) => column.name))),
  label: z.string(),
  labelOffset: z.number().exactOptional(),
});
