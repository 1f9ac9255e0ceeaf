import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'netsmith-bench-test-'));
after(() => rmSync(folder, { recursive: true }));

function bench(...args: readonly string[]) {
  const file = join(import.meta.dirname, '../bench/engine.ts');
  const common = ['--conditions=netsmith-source', file, '--json', '--rounds', '1', '--threads', '1'];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...common, ...args], { encoding: 'utf8' });
  return { status, stderr, rows: stdout === '' ? [] : (JSON.parse(stdout) as Record<string, unknown>[]) };
}

const FIELDS = ['name', 'layout', 'batch', 'seconds', 'peakMiB', 'peer', 'peerSeconds', 'peerPeakMiB', 'ratio'];

test('bench:engine prints a row for each form of the peer, of the same network alone', { skip: noShell() }, () => {
  // Stands in for a Python with PyTorch: says what bench/peers/torch_inference.py would, of one network also when asked for the other.
  const python = join(folder, 'python');
  const line = '{"torch": "2.99.1+cpu", "params": 1288506, "step_s": \'$s\', "peak_rss_mib": 500}';
  const script = `#!/bin/sh\ncase "$*" in *channels-last*) s=2 ;; *) s=4 ;; esac\necho '${line}'\n`;
  writeFileSync(python, script, { mode: 0o755 });
  const { status, rows, stderr } = bench('--only', 'inference-1', '--python', python);

  const same = rows.filter(({ network, layout }) => network === 'nas-bench-201' && layout === 'portable');
  assert.deepEqual(
    same.map(({ peer, peerSeconds }) => [peer, peerSeconds]),
    [
      ['torch 2.99.1 default', 4],
      ['torch 2.99.1 channels-last', 2],
    ],
  );
  for (const row of same) {
    assert.deepEqual(Object.keys(row).slice(0, FIELDS.length), FIELDS);
    assert.equal(row.name, 'inference-1');
    assert.equal(row.batch, 1);
    assert.equal(row.peerPeakMiB, 500);
    assert.ok(Number(row.seconds) > 0 && Number(row.peakMiB) > 0);
    const ratio = Number(row.peerSeconds) / Number(row.seconds);
    assert.ok(Math.abs(Number(row.ratio) / ratio - 1) < 0.002, `${row.ratio} is not ${ratio}`);
  }

  assert.equal(status, 1);
  assert.match(stderr, /darts-v2: 246106 weights here, 1288506 in the peer: not the same network/);
  const other = rows.filter(({ network }) => network === 'darts-v2');
  assert.ok(other.length > 0 && other.every(({ peer, ratio }) => peer === null && ratio === null));
});

test('bench:engine refuses a name that it does not know', () => {
  const { status, stderr } = bench('--only', 'nothing');
  assert.equal(status, 2);
  assert.match(stderr, /--only nothing: it must be one of darts-supernet-weight-step/);
});

function noShell(): string | false {
  return process.platform === 'win32' ? 'needs a POSIX shell' : false;
}
