import type { DatabaseSync as Database } from 'node:sqlite';

/**
 * Node's SQLite, which Node 20 does not have. Not by `import`: that would fail there with Node's own words, before the library can say
 * which Node it needs (`common/node-version.ts`).
 */
export const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
export type DatabaseSync = Database;
