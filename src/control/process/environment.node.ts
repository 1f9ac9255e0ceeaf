/**
 * An environment in a process of its own, in any language: it reads a line of JSON from its standard input and answers with one on its
 * standard output (docs/environments.md has the protocol).
 */
import { z } from 'zod';
import { invalid, type UserError } from '../../common/errors.ts';
import { parseJson } from '../../common/json.ts';
import type { Rng } from '../../common/random.ts';
import { ruleOf } from '../../common/rules.ts';
import { printable, shownValue } from '../../common/text.ts';
import { defineEnvironment } from '../define.ts';
import type { ActionSpec, Environment } from '../environment.ts';
import type { Lane } from '../lane.ts';
import { type LineProcess, openLineProcess } from './lines.node.ts';

export interface ProcessEnvironmentOptions {
  /** Run by the shell, once for each lane and once to ask what it is. */
  readonly command: string;
  /** Seconds. A process that gives no answer for as long has hung; its first answer may take ten times as long. Default: 30. */
  readonly patience?: number;
}

/** Each lane is a process. */
const MOST_PROCESSES = 8;

/** How much longer the first answer may take: a simulator has to load. */
const START = 10;

const bound = z.number().nullable();
const bounds = z.union([bound, z.array(bound)]).optional();
const names = z.array(z.string()).optional();
const aboutSchema = z.object({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  description: z.string().optional(),
  observation: z.object({ shape: z.array(z.int().min(1)).min(1), names, low: bounds, high: bounds }),
  action: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('discrete'), count: z.int().min(2), names }),
    z.object({
      kind: z.literal('continuous'),
      size: z.int().min(1),
      low: z.array(z.number()),
      high: z.array(z.number()),
      names,
    }),
  ]),
  maxSteps: z.int().min(1),
  success: z.union([z.object({ return: z.number() }), z.object({ terminated: z.boolean() })]),
});
type About = z.infer<typeof aboutSchema>;

/**
 * The environment that a command simulates. Each lane is a process; all of them work on a step at the same time. Throws UserError, with
 * place, value and rule, for a process that cannot be started, ends, hangs, or answers with anything but what the protocol says; the
 * process is then killed, and the next reset starts another.
 */
export function processEnvironment({ command, patience = 30 }: ProcessEnvironmentOptions): Environment {
  const place = `environment command "${printable(command)}"`;
  const about = aboutOf(place, command, patience);
  const { name, description = `in a process: ${printable(command)}`, action, maxSteps, success } = about;
  const { shape, low, high } = about.observation;
  return defineEnvironment({
    name,
    description,
    observation: {
      shape,
      ...(about.observation.names && { names: about.observation.names }),
      low: opened(low, -Infinity),
      high: opened(high, Infinity),
    },
    action: actionOf(action),
    maxSteps,
    mostLanes: MOST_PROCESSES,
    success:
      'return' in success
        ? { rule: `a return of at least ${success.return}`, holds: (episode) => episode.return >= success.return }
        : {
            rule: success.terminated ? 'it ends before the limit of steps' : 'it lasts to the limit of steps',
            holds: ({ terminated }) => terminated === success.terminated,
          },
    open: () => processLane(`environment "${name}" in a process`, command, patience, shape, action.kind === 'discrete'),
  });
}

/** What the process says of itself. */
function aboutOf(place: string, command: string, patience: number): About {
  const asked = openLineProcess(command);
  try {
    asked.write(JSON.stringify({ do: 'describe' }));
    const parsed = aboutSchema.safeParse(answerOf(asked, patience, place, 'describe'), { error: ruleOf });
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const path = issue?.path.join('.') ?? '';
    throw invalid(
      `${place}, answer to describe`,
      path === '' ? 'its content' : path,
      issue?.message ?? 'must describe an environment',
    );
  } finally {
    asked.close();
  }
}

function processLane(
  place: string,
  command: string,
  patience: number,
  shape: readonly number[],
  isDiscrete: boolean,
): Lane {
  let live: LineProcess | undefined;
  let isOwed = false;
  let steps = 0;
  const outcome = { reward: 0, terminated: false };
  const ask = (request: object) => {
    live ??= openLineProcess(command);
    live.write(JSON.stringify(request));
    isOwed = true;
  };
  /** Reads an answer with its observation; whatever is wrong with it ends the process. */
  const answer = (what: string, observation: Float32Array): object => {
    const asked = live as LineProcess;
    try {
      const found = answerOf(asked, patience, place, what);
      isOwed = false;
      const refuse = (fault: string, rule: string) => invalid(`${place}, answer to ${what}`, fault, rule);
      fill(Reflect.get(found, 'observation'), shape, observation, refuse);
      return found;
    } catch (error) {
      asked.close(0);
      live = undefined;
      throw error;
    }
  };
  const refused = (what: string, key: string, value: unknown, rule: string): UserError => {
    live?.close(0);
    live = undefined;
    return invalid(`${place}, answer to ${what}`, `${key} is ${shownValue(value)}`, rule);
  };
  return {
    reset(rng: Rng, observation) {
      // After an error in another lane an answer may still be on its way: a new process owes none.
      if (isOwed) {
        live?.close(0);
        live = undefined;
      }
      steps = 0;
      ask({ do: 'reset', seed: rng.int(2 ** 31) });
      answer('reset', observation);
    },
    send(action) {
      steps++;
      ask({ do: 'step', action: isDiscrete ? action[0] : [...action] });
    },
    step(_, observation) {
      const what = `step ${steps}`;
      const found = answer(what, observation);
      const reward: unknown = Reflect.get(found, 'reward');
      const terminated: unknown = Reflect.get(found, 'terminated');
      if (typeof reward !== 'number' || !Number.isFinite(reward))
        throw refused(what, 'reward', reward, 'must be a finite number');
      if (typeof terminated !== 'boolean') throw refused(what, 'terminated', terminated, 'must be true or false');
      outcome.reward = reward;
      outcome.terminated = terminated;
      return outcome;
    },
    close: () => live?.close(),
  };
}

/** The next line of a process, as an object. */
function answerOf(asked: LineProcess, patience: number, place: string, what: string): object {
  const seconds = asked.hasAnswered ? patience : START * patience;
  const answer = asked.read(seconds);
  if (answer.kind === 'silent')
    throw invalid(`${place}, ${what}`, `no answer after ${seconds} s`, 'must answer each line with one; it was killed');
  if (answer.kind === 'ended') throw invalid(`${place}, ${what}`, answer.how, 'must run until its input ends');
  const rule = 'must print one JSON object for each line that it reads, and nothing else on standard output';
  // The parser would say where in the text; that Python prints NaN and Infinity, which JSON does not have, says more.
  if (/^[^"]*\b(NaN|-?Infinity)\b/.test(answer.text.replaceAll(/"(\\.|[^"\\])*"/g, '')))
    throw invalid(`${place}, answer to ${what}`, `it prints ${shownValue(answer.text)}`, 'must have finite numbers');
  let found: unknown;
  try {
    found = parseJson(answer.text, place);
  } catch {
    throw invalid(`${place}, answer to ${what}`, `it prints ${shownValue(answer.text)}`, rule);
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found))
    throw invalid(`${place}, answer to ${what}`, `it prints ${shownValue(found)}`, rule);
  return found;
}

type Refuse = (fault: string, rule: string) => UserError;

/**
 * Writes the numbers of an observation from `at` on, and returns where they end: a flat list of all of them, or lists within lists as the
 * shape says.
 */
function fill(
  value: unknown,
  shape: readonly number[],
  into: Float32Array,
  refuse: Refuse,
  key = 'observation',
  at = 0,
): number {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (!Array.isArray(value))
    throw refuse(`${key} is ${shownValue(value)}`, `must be a list of ${size} numbers, for the shape [${shape}]`);
  const isFlat = shape.length === 1 || (at === 0 && !Array.isArray(value[0]));
  const expected = isFlat ? size : shape[0];
  if (value.length !== expected)
    throw refuse(`${key} has ${value.length} entries`, `must have ${expected}, for the shape [${shape}]`);
  let end = at;
  for (const [i, one] of value.entries()) {
    if (!isFlat) {
      end = fill(one, shape.slice(1), into, refuse, `${key}[${i}]`, end);
      continue;
    }
    if (typeof one !== 'number' || !Number.isFinite(one))
      throw refuse(`${key}[${i}] is ${shownValue(one)}`, 'must be a finite number');
    into[end++] = one;
  }
  return end;
}

/** Bounds that are left out or null are open. */
function opened(found: number | null | undefined | (number | null)[], open: number): number | readonly number[] {
  return Array.isArray(found) ? found.map((one) => one ?? open) : (found ?? open);
}

/** As the contract has it: optional keys are left out, not undefined. */
function actionOf(action: About['action']): ActionSpec {
  const named = action.names && { names: action.names };
  return action.kind === 'discrete'
    ? { kind: action.kind, count: action.count, ...named }
    : { kind: action.kind, size: action.size, low: action.low, high: action.high, ...named };
}
