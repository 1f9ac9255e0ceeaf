import { createInterface } from 'node:readline/promises';
import { Interrupted } from './interrupt.ts';

/** Questions to the user. */
export interface Asker {
  /** The answer, trimmed; asked again, with what `rule` says, until that is undefined. An empty answer is the `preset`. */
  ask(question: string, rule: (answer: string) => string | undefined, preset?: string): Promise<string>;
  /** One of these, by name or number; the first by an empty answer. */
  choose(question: string, options: readonly (readonly [name: string, description: string])[]): Promise<string>;
}

/** Asks on standard error, so that standard output has the result alone. Throws Interrupted on Ctrl-C, and where the input ends. */
export async function withTerminal<T>(
  work: (asker: Asker) => Promise<T>,
  input: NodeJS.ReadableStream = process.stdin,
  output: NodeJS.WritableStream = process.stderr,
): Promise<T> {
  const lines = createInterface({ input, output });
  const gone = new AbortController();
  lines.on('SIGINT', () => lines.close());
  lines.on('close', () => gone.abort(new Interrupted('SIGINT')));
  // Lines that come before their question (a paste) wait for it.
  const waiting: string[] = [];
  let take: ((line: string) => void) | undefined;
  lines.on('line', (line) => {
    if (take === undefined) waiting.push(line);
    else take(line);
  });
  const next = (prompt: string): Promise<string> => {
    output.write(prompt);
    const line = waiting.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((done, failed) => {
      if (gone.signal.aborted) return failed(gone.signal.reason);
      const stop = () => failed(gone.signal.reason);
      gone.signal.addEventListener('abort', stop, { once: true });
      take = (line) => {
        take = undefined;
        gone.signal.removeEventListener('abort', stop);
        done(line);
      };
    });
  };
  async function ask(question: string, rule: (answer: string) => string | undefined, preset?: string): Promise<string> {
    for (;;) {
      const answer = (await next(`${question}${preset === undefined ? '' : ` [${preset}]`} `)).trim();
      const taken = answer === '' && preset !== undefined ? preset : answer;
      const wrong = rule(taken);
      if (wrong === undefined) return taken;
      output.write(`${wrong}\n`);
    }
  }
  try {
    return await work({
      ask,
      async choose(question, options) {
        const named = (answer: string) =>
          options.find(([name], i) => name === answer || String(i + 1) === answer)?.[0] ?? undefined;
        const listed = options.map(([name, description], i) => `  ${i + 1}  ${name}: ${description}\n`);
        output.write(`${question}\n${listed.join('')}`);
        const rule = (answer: string) =>
          named(answer) === undefined ? `A number from 1 to ${options.length}, or a name, please.` : undefined;
        return named(await ask('Which one?', rule, '1')) ?? '';
      },
    });
  } finally {
    lines.close();
  }
}
