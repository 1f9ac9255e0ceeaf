/**
 * The server of the page in which networks are timed, for this machine alone (127.0.0.1). Threads of WebAssembly need memory that workers
 * share, which a browser gives only to a page whose headers isolate it from other origins.
 */
import { createReadStream, readdirSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../common/errors.ts';
import { asset } from '../common/package-files.node.ts';

const PAGE = '<!doctype html><title>netsmith</title><script type="module" src="/page.js"></script>';
const SCRIPT = fileURLToPath(asset('device/browser-page.js'));

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
};

export interface PageServer {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** The model that the page is to fetch. */
  give(model: Uint8Array): void;
  close(): void;
}

/** Serves the page, its script, the modules of onnxruntime-web in the folder `runtime`, and a model. Any other path is not found. */
export async function servePage(runtime: string): Promise<PageServer> {
  const modules = new Set(readdirSync(runtime).filter((name) => /\.(mjs|wasm)$/.test(name)));
  let model: Uint8Array = new Uint8Array();
  let origin = '';
  const server = createServer(({ method, url = '', headers }, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    const [, name = ''] = /^\/ort\/([\w.-]+)$/.exec(url) ?? [];
    // Another name for this machine is that of a page of somebody else's.
    if (method !== 'GET' || `http://${headers.host}` !== origin) response.writeHead(403).end();
    else if (url === '/') response.setHeader('content-type', 'text/html').end(PAGE);
    else if (url === '/page.js') sendFile(response, SCRIPT);
    else if (url === '/model') response.setHeader('content-type', 'application/octet-stream').end(model);
    else if (modules.has(name)) sendFile(response, join(runtime, name));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error(`a server at ${address}`);
  origin = `http://127.0.0.1:${address.port}`;
  return {
    origin,
    give(given) {
      model = given;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function sendFile(response: ServerResponse, path: string): void {
  response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
  createReadStream(path)
    .on('error', (error) => response.destroy(new Error(messageOf(error))))
    .pipe(response);
}
