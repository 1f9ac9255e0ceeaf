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
  // Node keeps what it has compiled in the temporary folder; the next command starts a fifth faster.
  import('node:module')
    .then(function (module) {
      module.enableCompileCache();
      return import('./program.js');
    })
    .then(function (program) {
      return import(program.mainModule());
    })
    .then(function (cli) {
      return cli.main(process.argv.slice(2));
    })
    .then(function (code) {
      process.exitCode = code;
    });
}
