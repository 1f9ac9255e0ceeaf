import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { busyThings, chargesOf, joulesOf } from './energy.ts';
import { openRapl } from './rapl.node.ts';

test('energy is watts times what is busy times seconds; a kilowatt hour has its price and its CO2', () => {
  assert.equal(joulesOf({ watts: 10, busy: 4, seconds: 0.5 }), 20);
  assert.deepEqual(chargesOf(3.6e6, { pricePerKwh: 0.25, co2PerKwh: 450 }), { money: 0.25, co2Grams: 450 });
  assert.deepEqual(
    (['node', 'browser', 'webgpu', 'browser-webgpu', 'command'] as const).map((name) => busyThings(name, 4)),
    [4, 4, 1, 1, 1],
  );
});

test("Linux's counters: packages and memory count, parts of them do not, and a counter may begin again", () => {
  const folder = mkdtempSync(join(tmpdir(), 'netsmith-rapl-'));
  const write = (zone: string, name: string, value: string | number) => {
    mkdirSync(join(folder, zone), { recursive: true });
    writeFileSync(join(folder, zone, name), `${value}\n`);
  };
  const zone = (path: string, name: string) => {
    write(path, 'name', name);
    write(path, 'max_energy_range_uj', 1000e6);
    write(path, 'energy_uj', 900e6);
  };
  try {
    assert.equal(openRapl(join(folder, 'absent')), undefined);
    assert.equal(openRapl(folder), undefined);
    zone('intel-rapl:0', 'package-0');
    zone('intel-rapl:0:0', 'core');
    zone('intel-rapl:0:1', 'dram');
    zone('intel-rapl:1', 'psys');
    const stop = openRapl(folder)?.start();
    write('intel-rapl:0', 'energy_uj', 20e6);
    write('intel-rapl:0:0', 'energy_uj', 999e6);
    write('intel-rapl:0:1', 'energy_uj', 905e6);
    write('intel-rapl:1', 'energy_uj', 999e6);
    assert.equal(stop?.(), 120 + 5);
    // One that cannot be read, as for anybody but root.
    rmSync(join(folder, 'intel-rapl:0:1', 'energy_uj'));
    assert.equal(openRapl(folder), undefined);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
