import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDataset } from '../data/open.node.ts';
import { checkPlan } from './plan.ts';
import { checkSettings } from './spec.ts';

test('a record of an older version calls the agreement of the predictor foresight', async () => {
  const settings = checkSettings({}, (name) => name);
  const { info: data } = (await openDataset({ name: 'digits', seed: 0 })).search;
  const agreement = { estimate: 'predicted', truth: 'accuracy', pairs: 9, tau: 0.5, interval: [0.1, 0.8] };
  const record = JSON.parse(JSON.stringify({ settings, data, foresight: agreement }));
  const { predictorAgreement, ...rest } = checkPlan(record, 'old');
  assert.deepEqual(predictorAgreement, agreement);
  assert.ok(!('foresight' in rest));
  assert.throws(() => checkPlan({ ...record, foresight: { tau: 'x' } }, 'old'), /predictorAgreement/);
});
