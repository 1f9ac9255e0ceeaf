import type { Command } from 'commander';
import { listedEnvironments } from '../app/control/list.ts';
import { showCount } from '../report/numbers.ts';
import { table } from '../terminal/output.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith environments`: [{ name, description, observation, actions, maxSteps, success, trainer, envSteps }] */
export function addEnvironments(program: Command, shell: Shell): void {
  define(program, 'environments', 'List the environments that policies can be found for', [
    'netsmith environments',
    'netsmith search --environment acrobot',
  ]).action((_options: unknown, command: Command) => {
    const all = listedEnvironments();
    const rows = all.map(({ name, observation, actions, maxSteps, trainer, envSteps, success }) => [
      ...[name, observation.join(' x '), actions, showCount(maxSteps), `${trainer}, ${showCount(envSteps)}`, success],
    ]);
    const head = ['name', 'observation', 'actions', 'steps', 'trainer, env steps', 'success'];
    outputOf(command, shell).result(all, table(head, rows));
  });
}
