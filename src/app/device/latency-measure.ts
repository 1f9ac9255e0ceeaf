import { DEVICE_METRICS } from '../../common/metrics.ts';
import type { SearchData } from '../../data/dataset.ts';
import type { Measure } from '../../measure/measure.ts';
import { untrainedExport } from '../../report/export/untrained.ts';
import type { SearchSpace } from '../../space/search-space.ts';
import { LATENCY, latencySettings } from '../../study/latency.ts';
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
 * The latency as a measure of a study, with its limit: measured on the device, or looked up in a table of blocks. Nothing is opened before the first
 * candidate. Undefined where the study takes no latencies. Throws UserError for settings and for a table that do not fit.
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
  const measure: Measure = {
    metric: { metric: LATENCY, ...DEVICE_METRICS.latency, isMeasure: true },
    when: 'device',
    async of({ network, space: { task } }) {
      if (table !== undefined) return table.predict(network, task).ms;
      return (await (await opened()).ofModel(untrainedExport(network, dataset.search))).ms;
    },
  };
  return {
    measures: [measure],
    limits: given.max === undefined ? [] : [{ cost: LATENCY, max: given.max }],
    async close() {
      const open = await meter?.catch(() => undefined);
      meter = undefined;
      await open?.close();
    },
  };
}
