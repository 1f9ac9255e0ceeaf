import { z } from 'zod';
import { unknownName } from './closest.ts';
import { invalid } from './errors.ts';
import { ruleOf } from './rules.ts';

/** Options of a plug-in, in the form in which the user typed them. */
export type OptionValues = Readonly<Record<string, number | string | boolean>>;

/** Checked by their schema, defaults filled in. Throws UserError: `--stopping-options: trials=0; must be ...`. */
export function checkOptions<T>(flag: string, schema: z.ZodType<T>, options: OptionValues): T {
  const parsed = schema.safeParse(options, { error: ruleOf });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    throw unknownName(`${flag}: unknown option`, key, known);
  }
  const key = String(issue?.path[0] ?? '');
  throw invalid(flag, `${key}=${options[key]}`, issue?.message ?? 'is not valid');
}
