#!/usr/bin/env node
// Old syntax and no static import on purpose: a Node that is too old must get as far as the sentence below.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    'netsmith needs Node 24 or newer; this is Node v' +
      process.versions.node +
      ' (get a newer one from https://nodejs.org, or for one project alone: npm install --save-dev node@24, then npx netsmith).',
  );
  process.exit(1);
} else {
  // In the repository the source runs directly; a published package has no src/, but the JavaScript built from it.
  import('../src/cli/main.ts')
    .catch(function (error) {
      if (error.code === 'ERR_MODULE_NOT_FOUND' && /\/src\/cli\/main\.ts$/.test(error.url))
        return import('../dist/cli/main.js');
      throw error;
    })
    .then(function (cli) {
      return cli.main(process.argv.slice(2));
    })
    .then(function (code) {
      process.exitCode = code;
    });
}
