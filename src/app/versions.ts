import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, platform } from 'node:os';
import { packageJson } from '../common/package-files.node.ts';
import { plural } from '../report/numbers.ts';

/** Netsmith's own version. */
export function netsmithVersion(): string {
  const { version }: { readonly version: string } = JSON.parse(readFileSync(packageJson(), 'utf8'));
  return version;
}

/** What results can depend on besides the settings: programs and the machine. */
export function versions(): Readonly<Record<string, string>> {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string };
  return {
    netsmith: netsmithVersion(),
    node: process.versions.node,
    onnxruntime: version,
    machine: `${cpus()[0]?.model.trim() || process.arch}, ${plural(availableParallelism(), 'core')}, ${platform()}`,
  };
}
