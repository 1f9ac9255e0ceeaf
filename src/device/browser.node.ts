/** onnxruntime-web in a Chromium of this machine, on the CPU (WebAssembly with SIMD and threads) or the graphics card (WebGPU). */
import { cpus } from 'node:os';
import { invalid, messageOf, UserError } from '../common/errors.ts';
import { printable } from '../common/text.ts';
import { servePage } from './browser-server.node.ts';
import { findChromium, findRuntime, startChromium } from './chromium.node.ts';
import { PATIENCE, type TargetSettings } from './index.ts';
import { probeModel } from './probe.ts';
import type { OpenTarget, Target, Timing, TimingRequest } from './target.ts';
import { watchdog } from './watchdog.ts';

/** Threads of the page are a setting of the runtime, so they hold for all models; a browser that hung or crashed is started again. */
export function browserTarget(
  name: 'browser' | 'browser-webgpu',
  { threads = 1, patience = PATIENCE, browser }: TargetSettings,
): Target {
  const place = `device target "${name}"`;
  const start = () => startPage({ place, gpu: name === 'browser-webgpu', threads, patience, browser });
  return {
    name,
    async open(): Promise<OpenTarget> {
      let page = await start();
      const target: OpenTarget = {
        description: page.description,
        async time(model, request) {
          request.signal?.throwIfAborted();
          if (page.isOver()) page = await start();
          return page.time(model, request);
        },
        close: () => page.close(),
      };
      try {
        await page.time(probeModel(), { batch: 1, warmup: 0, runs: 1, seconds: 0 });
      } catch (error) {
        await page.close();
        throw error;
      }
      return target;
    },
  };
}

interface PageSettings {
  readonly place: string;
  readonly gpu: boolean;
  readonly threads: number;
  readonly patience: number;
  readonly browser: string | undefined;
}

interface TimingPage {
  readonly description: string;
  time(model: Uint8Array, request: TimingRequest): Promise<Timing>;
  isOver(): boolean;
  close(): Promise<void>;
}

/** A browser with the page, ready to time. Throws UserError where one of them does not open. */
async function startPage({ place, gpu, threads, patience, browser: given }: PageSettings): Promise<TimingPage> {
  const runtime = findRuntime(place);
  const executable = findChromium(given, place);
  const server = await servePage(runtime.folder);
  const chromium = await startChromium(executable, gpu, patience, place).catch((error: unknown) => {
    server.close();
    throw error;
  });
  const { browser } = chromium;
  let [over, models] = [false, 0];
  const dog = watchdog(patience, () =>
    invalid(place, `no answer for ${patience} s`, 'a run must end; --device-timeout sets for how long it may take'),
  );
  const end = async () => {
    over = true;
    server.close();
    await chromium.end();
  };

  try {
    const { page, device } = await dog.during(async () => {
      const page = await browser.newPage();
      page.on('console', dog.alive);
      page.on('crash', () =>
        dog.fail(invalid(place, 'the page crashed', 'the browser must have enough memory for the network')),
      );
      browser.on('disconnected', () => {
        over = true;
        dog.fail(invalid(place, 'the browser has ended', 'it must live until the timing is done'));
      });
      await page.goto(server.origin, { timeout: patience * 1000 });
      await page.waitForFunction('globalThis.timeModel !== undefined', undefined, { timeout: patience * 1000 });
      const { device } = await page.evaluate<{ readonly device: string }>(
        `openRuntime(${JSON.stringify({ gpu, threads })})`,
      );
      return { page, device };
    });
    const on = gpu
      ? `WebGPU${device === '' ? '' : ` of ${printable(device)}`}`
      : `WebAssembly, CPU ${cpuName()}, ${counted(threads)}`;
    return {
      description: `onnxruntime-web ${runtime.version} in Chromium ${browser.version()}, ${on}`,
      async time(model, { signal, ...request }) {
        server.give(model);
        try {
          const milliseconds = await dog.during(
            () => page.evaluate<number[]>(`timeModel(${JSON.stringify(request)})`),
            signal,
          );
          // The memory of WebAssembly never shrinks: it is that of the largest model so far. The first is the probe.
          const peakBytes = ++models <= 2 && !gpu ? await chromium.peakBytes() : undefined;
          return { milliseconds, ...(peakBytes !== undefined && { peakBytes }) };
        } catch (error) {
          // What still runs in the page, or has left the runtime in an unknown state, goes with the browser.
          await end();
          if (signal?.aborted || error instanceof UserError) throw error;
          throw invalid(place, reasonOf(error), 'the device must be able to run the network');
        }
      },
      isOver: () => over,
      close: end,
    };
  } catch (error) {
    await end();
    throw error instanceof UserError
      ? error
      : invalid(place, reasonOf(error), 'the browser must be able to run onnxruntime-web');
  }
}

/** Playwright's words around the page's are of no use to a user. */
function reasonOf(error: unknown): string {
  const [first = ''] = messageOf(error)
    .replace(/^page\.\w+: (Error: )?/, '')
    .split('\n');
  return printable(first.trim());
}

const counted = (threads: number) => (threads === 1 ? '1 thread' : `${threads} threads`);

function cpuName(): string {
  return cpus()[0]?.model.trim() ?? 'of unknown make';
}
