/** What a run leaves in bench/results/, and on which machine it was. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../results');

/** Where and by what a result was measured. */
export interface Circumstances {
  /** ISO 8601. */
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly system: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** Of the repository, `+` where files had been changed since. */
  readonly commit: string;
  readonly threads: number;
}

export function circumstances(threads: number): Circumstances {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const cores = cpus();
  return {
    date: new Date().toISOString(),
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    system: `${platform()} ${release()}`,
    node: process.version,
    onnxruntime: version,
    commit: commit(),
    threads,
  };
}

function commit(): string {
  const git = (...args: readonly string[]) =>
    execFileSync('git', args, { cwd: FOLDER, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', '../../src') === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}

/** Writes bench/results/KIND-DATE.json, the date to the minute, and returns the file. */
export function saveResult(kind: string, when: Circumstances, result: Readonly<Record<string, unknown>>): string {
  mkdirSync(FOLDER, { recursive: true });
  const file = join(FOLDER, `${kind}-${when.date.slice(0, 16).replace(':', '')}.json`);
  writeFileSync(file, `${JSON.stringify({ ...when, ...result }, undefined, 1)}\n`);
  return file;
}
