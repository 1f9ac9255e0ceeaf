// The first import of the library: on a Node that is too old nothing else of it could be understood. A browser has no `process`.
const version = globalThis.process?.versions?.node;
if (version !== undefined && Number(version.split('.')[0]) < 24) {
  throw new Error(
    `netsmith needs Node 24 or newer; this is Node v${version} (get a newer one from https://nodejs.org)`,
  );
}
