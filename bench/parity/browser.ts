// Runs the browser page of a model card in headless Chromium, just as the card has it, and compares its answers with those of
// `netsmith predict`: an image folder in color, the gray digits, and a table. Not among the tests: onnxruntime-web takes 140 MB.
//   node --conditions=netsmith-source bench/parity/browser.ts [folder of onnxruntime-web]

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize, resolve } from 'node:path';
import sharp from 'sharp';
import { ORT_WEB } from '../../src/report/export/browser-page.ts';
import { answerHelp } from '../support/flags.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const CHROMIUM = ['chromium', 'chromium-browser', 'google-chrome'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
);
if (CHROMIUM === undefined) throw new Error('this check needs Chromium on the PATH');
const folder = mkdtempSync(join(tmpdir(), 'netsmith-browser-'));
answerHelp();
const ort = process.argv[2] ?? fetchOrt();

/** The release that the page names. */
function fetchOrt(): string {
  const version = /@([\d.]+)\//.exec(ORT_WEB)?.[1];
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    `onnxruntime-web@${version}`,
  ];
  assert.equal(spawnSync('npm', args, { stdio: 'inherit' }).status, 0, 'onnxruntime-web could not be installed');
  return join(folder, 'node_modules', 'onnxruntime-web');
}

function netsmith(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'bin', 'netsmith.js'), ...args, '--json'],
    {
      encoding: 'utf8',
      cwd: folder,
    },
  );
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

/** What the page shows after `driver` has used it as a person would. */
async function inBrowser(best: string, driver: string): Promise<Record<string, number>> {
  const card = readFileSync(join(best, 'MODEL_CARD.md'), 'utf8');
  const page = /```html\n([\s\S]*?)\n```/.exec(card)?.[1];
  assert.ok(page !== undefined, 'the card has a page');
  assert.ok(page.includes(ORT_WEB), 'it loads onnxruntime-web from its address');
  // The address alone is another one: the check needs no network.
  const served = `<script>${ERRORS}</script>\n${page.replace(ORT_WEB, '/ort/dist/ort.wasm.min.mjs')}\n<script type="module">\n${driver}\n</script>`;
  let answered: (text: string) => void = () => {};
  const answer = new Promise<string>((done) => {
    answered = done;
  });
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    if (path === '/answer') {
      request.setEncoding('utf8');
      let text = '';
      request.on('data', (part) => {
        text += part;
      });
      request.on('end', () => {
        response.end();
        answered(text);
      });
      return;
    }
    try {
      const body =
        path === '/' ? served : readFileSync(path.startsWith('/ort/') ? join(ort, path.slice(4)) : join(best, path));
      response.setHeader('content-type', TYPES[path === '/' ? '.html' : extname(path)] ?? 'application/octet-stream');
      response.end(body);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const profile = mkdtempSync(join(folder, 'profile-'));
  const flags = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    `--user-data-dir=${profile}`,
  ];
  const browser = spawn(CHROMIUM as string, [...flags, `http://127.0.0.1:${port}/`], {
    stdio: process.env.DEBUG === undefined ? 'ignore' : 'inherit',
  });
  const late = setTimeout(() => answered('{"error":"no answer within two minutes"}'), 120_000);
  try {
    const found = JSON.parse(await answer);
    assert.equal(found.error, undefined, String(found.error));
    return found;
  } finally {
    clearTimeout(late);
    browser.kill();
    server.close();
    server.closeAllConnections();
  }
}

/** Before the page: any error is an answer, too. */
const ERRORS = `
  const send = (text) => fetch('/answer', { method: 'POST', body: text });
  addEventListener('error', (event) => send(JSON.stringify({ error: event.message })));
  addEventListener('unhandledrejection', (event) => send(JSON.stringify({ error: String(event.reason) })));
`;

/** Sends what the page shows as soon as it shows something. */
const REPORT = `
  const output = document.querySelector('pre');
  new MutationObserver(() => send(output.textContent)).observe(output, { childList: true, characterData: true, subtree: true });
`;

const chooseFile = (bytes: Uint8Array) => `${REPORT}
  const bytes = Uint8Array.from(atob('${Buffer.from(bytes).toString('base64')}'), (c) => c.charCodeAt(0));
  const chosen = new DataTransfer();
  chosen.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
  const input = document.querySelector('input');
  input.files = chosen.files;
  while (input.onchange === null) await new Promise((done) => setTimeout(done, 20));
  input.dispatchEvent(new Event('change'));
`;
const typeRow = (row: object) => `${REPORT}
  document.querySelector('textarea').value = ${JSON.stringify(JSON.stringify(row))};
  const button = document.querySelector('button');
  while (button.onclick === null) await new Promise((done) => setTimeout(done, 20));
  button.click();
`;

function compare(name: string, found: Record<string, number>, wanted: Record<string, number>, most: number): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort());
  const worst = Math.max(
    ...Object.keys(wanted).map((key) => Math.abs((found[key] ?? Number.NaN) - (wanted[key] ?? 0))),
  );
  console.log(`${name}: largest difference between Chromium and netsmith predict ${worst.toExponential(1)}`);
  assert.ok(worst <= most, `${name}: ${JSON.stringify(found)} in the browser, ${JSON.stringify(wanted)} from predict`);
}

/** Labels to probabilities, as predict gives them. */
function predicted(model: string, input: string): Record<string, number> {
  const [answer] = netsmith('predict', model, input);
  return answer.probabilities ?? answer.values;
}

async function noise(channels: 1 | 3, size: number, seed: number): Promise<Uint8Array> {
  let state = seed;
  const next = () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state >>> 24;
  };
  const data = Uint8Array.from({ length: size * size * channels }, next);
  return sharp(data, { raw: { width: size, height: size, channels } })
    .png()
    .toBuffer();
}

try {
  const search = ['search', '--epochs', '2', '--trials', '1', '--out'];

  netsmith(...search, join(folder, 'digits'), '--space', 'mlp');
  const digits = join(folder, 'digits', 'best');
  netsmith('export', join(folder, 'digits'));
  const gray = join(folder, 'gray.png');
  writeFileSync(gray, await noise(1, 8, 1));
  compare(
    'digits',
    await inBrowser(digits, chooseFile(readFileSync(gray))),
    predicted(join(digits, 'model.onnx'), gray),
    1e-4,
  );
  // In color, made gray by both.
  const color = join(folder, 'color.png');
  writeFileSync(color, await noise(3, 8, 2));
  compare(
    'digits, a color image',
    await inBrowser(digits, chooseFile(readFileSync(color))),
    predicted(join(digits, 'model.onnx'), color),
    0.02,
  );

  for (const [c, name] of ['a', 'b'].entries()) {
    mkdirSync(join(folder, 'photos', name), { recursive: true });
    for (let i = 0; i < 20; i++)
      writeFileSync(join(folder, 'photos', name, `${i}.png`), await noise(3, 16, 100 * c + i));
  }
  netsmith(
    ...search,
    join(folder, 'images'),
    '--space',
    'mlp',
    '--data',
    'image-folder',
    '--data-dir',
    'photos',
    '--image-size',
    '16',
  );
  netsmith('export', join(folder, 'images'));
  const images = join(folder, 'images', 'best');
  const photo = join(folder, 'photos', 'a', '3.png');
  compare(
    'images',
    await inBrowser(images, chooseFile(readFileSync(photo))),
    predicted(join(images, 'model.onnx'), photo),
    1e-4,
  );

  const rows = Array.from({ length: 60 }, (_, i) => [
    i % 7,
    ['red', 'blue', ''][i % 3],
    `2024-0${1 + (i % 9)}-1${i % 10}`,
    (i % 7) * 2 + (i % 3),
  ]);
  writeFileSync(join(folder, 'rows.csv'), ['size,color,day,price', ...rows.map((row) => row.join(','))].join('\n'));
  netsmith(
    ...search,
    join(folder, 'table'),
    '--space',
    'mlp',
    '--data',
    'csv',
    '--data-dir',
    'rows.csv',
    '--label',
    'price',
    '--regression',
  );
  netsmith('export', join(folder, 'table'));
  const table = join(folder, 'table', 'best');
  writeFileSync(join(folder, 'row.csv'), 'size,color,day\n5,blue,2024-03-17\n');
  const row = { size: 5, color: 'blue', day: '2024-03-17' };
  compare(
    'table',
    await inBrowser(table, typeRow(row)),
    predicted(join(table, 'model.onnx'), join(folder, 'row.csv')),
    1e-4,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
