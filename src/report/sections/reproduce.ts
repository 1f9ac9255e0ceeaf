import type { Json } from '../../common/json.ts';
import { factsOf } from '../../task/index.ts';
import type { ReportData } from '../data.ts';
import { html } from '../markup.ts';
import { showCount } from '../numbers.ts';
import type { Section } from '../page.ts';
import { factTable } from '../table.ts';

export function reproduceSection({ commands, settings, seed, space }: ReportData): Section {
  const options = Object.entries(space.options).map(([name, value]) => `${name}=${String(value)}`);
  const leaves = flatten(settings);
  const rows = leaves.map(([key, value]) => [html`<code>${key}</code>`, html`<code>${value}</code>`] as const);
  // How far a training with a time limit comes depends on the machine.
  const isTimed = leaves.some(([key]) => key === 'settings.trialTime');
  return {
    id: 'reproduce',
    title: 'Reproduce',
    body: html`${commands.length === 0 ? undefined : html`<pre class="wrap">${commands.join('\n')}</pre>`}${factTable(
      isTimed
        ? 'This searches in the same way. Time limits its trainings, so the numbers depend on the speed of the machine.'
        : 'With one worker and the same versions, this reproduces the same trials.',
      [
        ['Seed', String(seed)],
        ['Space', [space.name, ...options].join(', ')],
      ],
    )}<details><summary>All ${rows.length} settings</summary>${factTable('Settings stored in the study.', rows)}</details>`,
  };
}

/** Leaves of plain JSON with their paths: `train.learningRate` 0.05. Lists of plain values stay together. */
export function flatten(value: Json, path = ''): [string, string][] {
  if (value === null || typeof value !== 'object') return [[path, String(value)]];
  const plain = Array.isArray(value) && value.every((item) => item === null || typeof item !== 'object');
  if (plain) return [[path, JSON.stringify(value)]];
  const entries = Object.entries(value as Readonly<Record<string, Json>>);
  if (entries.length === 0) return [[path, '{}']];
  return entries.flatMap(([key, item]) => flatten(item, path === '' ? key : `${path}.${key}`));
}

export function dataSection({ data, estimator }: ReportData): Section {
  const { train, valid, test } = data.counts;
  const { many } = factsOf(data).outputsName;
  const samples =
    estimator === 'table'
      ? []
      : [['Samples', `${showCount(train)} training, ${showCount(valid)} validation, ${showCount(test)} test`] as const];
  const notes = html`<ul class="notes">${data.notes.map((note) => html`<li>${note}</li>`)}</ul>`;
  return {
    id: 'data',
    title: 'Data',
    body: factTable(`Dataset ${data.name}.`, [
      ['Task', data.kind],
      ['Input', `[${data.input.join(', ')}]`],
      ...samples,
      ...(data.labels.length === 0
        ? []
        : [
            [
              `${many[0]?.toUpperCase() ?? ''}${many.slice(1)}`,
              data.labels.length > 20
                ? html`<details><summary>${data.labels.length}</summary>${data.labels.join(', ')}</details>`
                : data.labels.join(', '),
            ] as const,
          ]),
      ...(data.notes.length === 0 ? [] : [['Notes', notes] as const]),
    ]),
  };
}
