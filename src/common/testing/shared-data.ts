import { existsSync } from 'node:fs';

/**
 * A file or folder of the data that lie beside the repository (`../shared/data`), and why a test that needs it is to be
 * skipped: they are not part of the repository, and a clone elsewhere does not have them.
 */
export function sharedData(path: string): { readonly url: URL; readonly skip: string | false } {
  const url = new URL(`../../../../shared/data/${path}`, import.meta.url);
  return { url, skip: existsSync(url) ? false : `needs ../shared/data/${path} beside the repository` };
}
