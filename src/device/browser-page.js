/**
 * The script of the page in which `browser` and `browser-webgpu` time networks; browser-server.node.ts serves it. It is plain JavaScript:
 * the browser runs it as it is here.
 */

/** Milliseconds between two signs of life. */
const ALIVE = 1000;
/** The clock of a page has steps (5 microseconds at best). Runs shorter than this many milliseconds are timed several together. */
const LEAST = 0.2;
/** Of the runs of a counted time together at most. */
const MOST_TOGETHER = 1000;
/** The share of the seconds of counted runs that the page warms up before them, as the browser compiles WebAssembly while it runs. */
const WARM_SHARE = 0.25;

let ort;
let provider;

/** Loads onnxruntime-web. Returns `{ device }`: what the browser says of its graphics card. Throws where the browser cannot run it. */
globalThis.openRuntime = async ({ gpu, threads }) => {
  provider = gpu ? 'webgpu' : 'wasm';
  if (!globalThis.crossOriginIsolated) throw new Error('the page is not isolated, so there are no threads');
  const adapter = gpu ? await navigator.gpu?.requestAdapter() : undefined;
  if (gpu && !adapter) throw new Error('Chromium finds no graphics card for WebGPU');
  ort = await import(`/ort/ort.${provider}.min.mjs`);
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  const { vendor = '', architecture = '', description = '' } = adapter?.info ?? {};
  return { device: [vendor, architecture, description].filter((word) => word !== '').join(' ') };
};

/** Times the model that the server has at `/model`: milliseconds of each counted run. */
globalThis.timeModel = async ({ batch, warmup, runs, seconds }) => {
  const model = new Uint8Array(await (await fetch('/model')).arrayBuffer());
  const session = await ort.InferenceSession.create(model, { executionProviders: [provider] });
  try {
    const feeds = feedsOf(session, batch);
    let told = performance.now();
    const run = async (together = 1) => {
      const began = performance.now();
      for (let i = 0; i < together; i++) await session.run(feeds);
      const ended = performance.now();
      if (ended - told > ALIVE) {
        told = ended;
        // biome-ignore lint/suspicious/noConsole: that is how a page says something without waiting for an answer
        console.debug('alive');
        // The message leaves the page when its event loop turns.
        await new Promise((resolve) => setTimeout(resolve));
      }
      return (ended - began) / together;
    };
    let shortest = await run();
    const warmUntil = performance.now() + seconds * 1000 * WARM_SHARE;
    for (let i = 1; i < warmup || performance.now() < warmUntil; i++) shortest = Math.min(shortest, await run());
    const together = Math.min(MOST_TOGETHER, Math.max(1, Math.ceil(LEAST / Math.max(shortest, LEAST / MOST_TOGETHER))));
    const milliseconds = [];
    const until = performance.now() + seconds * 1000;
    while (milliseconds.length < runs || performance.now() < until) milliseconds.push(await run(together));
    return milliseconds;
  } finally {
    await session.release();
  }
};

/** Values about as large as normalized inputs, the same each time; of integers, zeros. */
function feedsOf(session, batch) {
  return Object.fromEntries(
    session.inputMetadata.map(({ name, isTensor, type, shape }) => {
      if (!isTensor) throw new Error(`the input "${name}" is no tensor`);
      const sizes = shape.map((size, axis) => (axis === 0 || typeof size === 'string' ? batch : size));
      const count = sizes.reduce((product, size) => product * size, 1);
      const values =
        type === 'int32'
          ? new Int32Array(count)
          : Float32Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) * 2);
      return [name, new ort.Tensor(type === 'int32' ? 'int32' : 'float32', values, sizes)];
    }),
  );
}
