import type { ReportData } from '../data.ts';
import { drawEpisode } from '../figures/episode.ts';
import { returnsFigure } from '../figures/returns.ts';
import { html } from '../markup.ts';
import { plural, showCount, showMetric } from '../numbers.ts';
import { figure, type Section } from '../page.ts';
import { factTable } from '../table.ts';

/** What the final policy does, and how its return grew: once it has been evaluated. */
export function policySection({ policy, tested, data }: ReportData): Section | undefined {
  if (policy === undefined) return undefined;
  const { episode, curves } = policy;
  const returns = returnsFigure(curves, tested);
  const drawn = episode && drawEpisode(data.name, episode);
  if (returns === undefined && drawn === undefined) return undefined;
  const seeds = plural(curves.length, 'training');
  const how =
    episode &&
    `An episode of the test by the policy of the first seed: ${showCount(episode.length)} steps, ${tested.metric === 'fitness' ? 'return' : tested.metric} ${showMetric('return', episode.return)}, ${episode.succeeded ? 'a success' : 'no success'}.`;
  return {
    id: 'policy',
    title: 'Policy',
    body: html`<div class="figures">${figure(returns, `${tested.metric} of the final ${seeds} over environment steps, on validation episodes: mean with its 95 % interval.`)}${figure(drawn, how ?? '')}</div>`,
  };
}

/** The environment in place of a data set. */
export function environmentSection({ data }: ReportData): Section | undefined {
  const { environment, counts, input } = data;
  if (environment === undefined) return undefined;
  const { action, description, success, maxSteps, fitness } = environment;
  const size = action.kind === 'discrete' ? `one of ${action.count}` : plural(action.size, 'number');
  return {
    id: 'data',
    title: 'Task',
    body: factTable(`Environment ${data.name}.`, [
      ['Description', description],
      ['Observation', `[${input.join(', ')}]`],
      ['Action', `${size}: ${data.labels.join(', ')}`],
      ['Success', success],
      ...(fitness === undefined ? [] : [['Fitness', fitness] as const]),
      [
        'Episodes',
        `${showCount(counts.valid)} validation, ${showCount(counts.test)} test; at most ${showCount(maxSteps)} steps`,
      ],
    ]),
  };
}
