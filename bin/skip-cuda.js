// Runs before the install scripts of this package's dependencies (npm runs every `preinstall` first). On 64-bit Linux,
// onnxruntime-node's own script downloads CUDA libraries, and the whole installation fails where they cannot be reached.
// Only `--device cuda` uses them. The script downloads nothing when it finds the files, so this puts short texts in their place.
// `node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12` replaces them with the libraries.
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const isDependency = dirname(fileURLToPath(import.meta.url)).includes(`${sep}node_modules${sep}`);
try {
  if (isDependency) putTexts();
} catch {
  // Another version of onnxruntime-node, or a folder that cannot be written to: its own script decides.
}

function putTexts() {
  const require = createRequire(import.meta.url);
  const home = dirname(require.resolve('onnxruntime-node/package.json'));
  const { requirements, manifests } = require(join(home, 'script', 'install-metadata.js'));
  const platform = `${process.platform}/${process.arch}`;
  for (const name of requirements[platform] ?? []) {
    for (const file of Object.keys(manifests[`${platform}:${name}`])) {
      const path = join(home, 'bin', 'napi-v6', platform, file);
      if (!existsSync(path)) writeFileSync(path, 'Not downloaded: see bin/skip-cuda.js of netsmith.\n');
    }
  }
}
