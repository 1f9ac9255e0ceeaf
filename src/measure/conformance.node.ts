import assert from 'node:assert/strict';
import { messageOf } from '../common/errors.ts';
import { deepFreeze } from '../common/json.ts';
import { METRICS } from '../common/metrics.ts';
import { rng } from '../common/random.ts';
import type { Space } from '../space/space.ts';
import { smallCnn } from '../space/spaces/index.ts';
import { formatArchitecture } from '../space/tree/architecture.ts';
import { resolve } from '../space/tree/resolve.ts';
import { sample } from '../space/tree/vary.ts';
import type { MeasureDefinition, MeasuredNetwork } from './own.ts';

export interface CheckMeasureOptions {
  /** The space whose members are measured; by default `small-cnn` for images of 1 x 8 x 8 pixels and 10 classes. */
  readonly space?: Space;
  /** Members that are measured. Default: 8. */
  readonly members?: number;
  /** How far two values of the same member may differ, as a share of the larger; for a measure that times something. Default: 0. */
  readonly tolerance?: number;
}

/** A rule that every measure keeps; `check` throws where it is broken. */
interface Rule {
  readonly title: string;
  check(): void | Promise<void>;
}

/** What every measure must keep. */
export function measureRules(
  { name, direction, unit, of }: MeasureDefinition,
  { space = smallSpace(), members: count = 8, tolerance = 0 }: CheckMeasureOptions = {},
): readonly Rule[] {
  const random = rng(1, 'measure');
  const members = Array.from({ length: count }, (): MeasuredNetwork => {
    const architecture = sample(space, random);
    const text = formatArchitecture(space, architecture);
    return deepFreeze({ architecture, text, network: resolve(space, architecture), task: space.task });
  });
  let first: readonly number[] = [];
  return [
    {
      title: 'its name is a word of letters and digits that no metric of Netsmith has',
      check() {
        assert.match(name, /^[a-zA-Z]\w*$/);
        assert.ok(!Object.hasOwn(METRICS, name), `${name} is a metric of Netsmith`);
      },
    },
    {
      title: 'it has a direction, and its unit is text',
      check() {
        assert.ok(direction === 'minimize' || direction === 'maximize', `its direction is ${String(direction)}`);
        assert.equal(typeof unit, 'string', 'unit');
      },
    },
    {
      title: 'it gives a finite number for each network, and changes none',
      async check() {
        const values: number[] = [];
        for (const member of members) {
          const value: unknown = await of(member);
          if (typeof value !== 'number' || !Number.isFinite(value))
            assert.fail(`${member.text} gives ${String(value)}, which is not a finite number`);
          values.push(value);
        }
        first = values;
      },
    },
    {
      title: 'the same network has the same value, whatever was measured before it',
      async check() {
        for (const [i, member] of [...members.entries()].reverse()) {
          const [before = Number.NaN, again] = [first[i], await of(member)];
          const most = tolerance * Math.max(Math.abs(before), Math.abs(again));
          assert.ok(Math.abs(before - again) <= most, `${member.text} gives ${before}, and then ${again}`);
        }
      },
    },
  ];
}

/**
 * Checks that a measure keeps the rules that a study relies on: a free name, a direction, a finite number for each network, the same one
 * each time (within `tolerance`), and no network changed. Nothing is trained. Throws Error, with the rule, at the first one that is broken.
 */
export async function checkMeasure(measure: MeasureDefinition, options: CheckMeasureOptions = {}): Promise<void> {
  for (const { title, check } of measureRules(measure, options)) {
    try {
      await check();
    } catch (error) {
      throw new Error(`measure "${measure.name}" breaks the rule "${title}": ${messageOf(error)}`, { cause: error });
    }
  }
}

function smallSpace(): Space {
  return smallCnn.create({ kind: 'classification', input: [1, 8, 8], outputs: 10 });
}
