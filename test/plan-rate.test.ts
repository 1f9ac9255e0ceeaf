import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { planRun } from '../src/app/plan-run.ts';
import { residualCnn } from '../src/node.ts';
import { checkSettings, type StudySettings } from '../src/study/spec.ts';

// The learning rate that `run` plans where none is given.

const LOSS = join(import.meta.dirname, 'support', 'large-loss.ts');

async function plan(given: Partial<StudySettings>) {
  const notes: string[] = [];
  const settings = checkSettings(
    { data: 'digits', time: '5m', seed: 1, space: 'residual-cnn', ...given },
    (name) => name,
  );
  const own = { ...(settings.loss !== undefined && { loss: settings.loss }) };
  const planned = await planRun(settings, given, residualCnn, own, { note: (text) => notes.push(text) }, () => 1);
  return { learningRate: planned.settings.learningRate, said: notes.join('\n') };
}

test("where the recipe's rate suits the data, it stays, and the plan does not mention it", async () => {
  const { learningRate, said } = await plan({});
  assert.equal(learningRate, 0.1);
  assert.match(said, /^Plan: /);
  assert.doesNotMatch(said, /learning rate/);
});

test('a loss that diverges at it: a smaller rate is planned, stored and said; a rate that is given stays', async () => {
  const { learningRate, said } = await plan({ loss: LOSS });
  assert.ok(learningRate < 0.1, `${learningRate}`);
  assert.match(said, new RegExp(`; learning rate ${learningRate}, because the loss of resnet-\\d+ rises at 0.1\\.$`));
  const given = await plan({ loss: LOSS, learningRate: 0.05 });
  assert.equal(given.learningRate, 0.05);
  assert.doesNotMatch(given.said, /learning rate/);
  const searched = await plan({ loss: LOSS, spaceOptions: { tune: true } });
  assert.doesNotMatch(searched.said, /learning rate/);
});
