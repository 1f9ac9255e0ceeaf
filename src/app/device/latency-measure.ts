import { DEVICE_METRICS } from '../../common/metrics.ts';
import type { SearchData } from '../../data/dataset.ts';
import { busyThings, joulesOf, WATTS } from '../../device/energy.ts';
import type { Measure, Subject } from '../../measure/measure.ts';
import { untrainedExport } from '../../report/export/untrained.ts';
import type { SearchSpace } from '../../space/search-space.ts';
import { architectureKey } from '../../space/tree/architecture.ts';
import { ENERGY, LATENCY, latencySettings } from '../../study/latency.ts';
import type { Measuring } from '../../study/measuring.ts';
import type { StudySettings } from '../../study/spec.ts';
import { type LatencyMeter, openMeter } from './meter.ts';
import { openTable } from './table.ts';

/** The networks of a study: their space, and the data that they are for. */
export interface OfNetworks {
  readonly space: Pick<SearchSpace, 'tree'>;
  readonly dataset: { readonly search: Pick<SearchData, 'info' | 'task'> };
}

/**
 * The latency as a measure of a study, and where it is asked for the energy that follows from it, with their limits: measured on the device, or looked up
 * in a table of blocks. Nothing is opened before the first candidate. Undefined where the study takes no latencies. Throws UserError for settings and for
 * a table that do not fit.
 */
export function latencyMeasuring(
  settings: StudySettings,
  { space: { tree: space }, dataset }: OfNetworks,
): Measuring | undefined {
  const given = latencySettings(settings);
  if (given === undefined) return undefined;
  const table = given.table === undefined || space === undefined ? undefined : openTable(given.table, given, space);
  let meter: Promise<LatencyMeter> | undefined;
  const opened = () => {
    meter ??= openMeter(given);
    return meter;
  };
  let last: { readonly key: string; readonly ms: number } | undefined;
  /** Of an architecture once, though two measures ask for it one after the other. */
  async function millisecondsOf({ architecture, network, space: { task } }: Subject): Promise<number> {
    const key = architectureKey(architecture);
    if (last?.key === key) return last.ms;
    const { ms } =
      table?.predict(network, task) ?? (await (await opened()).ofModel(untrainedExport(network, dataset.search)));
    last = { key, ms };
    return ms;
  }
  const latency: Measure = {
    metric: { metric: LATENCY, ...DEVICE_METRICS.latency, isMeasure: true },
    when: 'device',
    of: millisecondsOf,
  };
  const { max, energy, target, threads, batch } = given;
  const energyMeasure = (watts: number): Measure => ({
    metric: { metric: ENERGY, ...DEVICE_METRICS.energy, isMeasure: true },
    when: 'device',
    async of(subject) {
      const seconds = (await millisecondsOf(subject)) / 1000 / batch;
      return 1000 * joulesOf({ watts, busy: busyThings(target, threads), seconds });
    },
  });
  return {
    measures: energy === undefined ? [latency] : [latency, energyMeasure(energy.watts ?? WATTS)],
    limits: [
      ...(max === undefined ? [] : [{ cost: LATENCY, max }]),
      ...(energy?.max === undefined ? [] : [{ cost: ENERGY, max: energy.max }]),
    ],
    async close() {
      const open = await meter?.catch(() => undefined);
      meter = undefined;
      await open?.close();
    },
  };
}
