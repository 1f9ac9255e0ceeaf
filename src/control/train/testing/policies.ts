import { policy } from '../../../space/index.ts';
import { checkArchitecture } from '../../../space/tree/architecture.ts';
import type { Module } from '../../../space/tree/module.ts';
import { resolve } from '../../../space/tree/resolve.ts';
import type { PolicyForm } from '../../../task/environment.ts';
import { spaceTask } from '../../../task/index.ts';
import type { Environment } from '../../environment.ts';
import { environmentData } from '../on-environment.ts';

/** A member of the space `policy`: one layer of 16, and a memory of 16 units if it has one. */
export function smallPolicy(environment: Environment, form: PolicyForm, memory?: 'gru' | 'lstm'): Module {
  const space = policy.create(spaceTask(environmentData(environment, form, memory !== undefined)));
  const architecture = checkArchitecture(space, {
    depth: 1,
    'layer/0/width': 16,
    activation: 'tanh',
    ...(form === 'actor-critic' && { value: 'separate' }),
    ...(memory && { memory, units: 16 }),
  });
  return resolve(space, architecture);
}
