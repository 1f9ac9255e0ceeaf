/** The targets that networks can be timed on, by name, and what can be set of them. `open.node.ts` has their adapters. */

/** What each is, for help and messages. */
export const TARGETS = {
  node: 'the CPU, by onnxruntime-node',
  webgpu: 'the graphics card, by the WebGPU of onnxruntime-node',
  browser: 'the CPU in Chromium, by the WebAssembly of onnxruntime-web',
  'browser-webgpu': 'the graphics card in Chromium, by the WebGPU of onnxruntime-web',
  command: 'any device, by a command of your own that times an ONNX file and prints milliseconds',
} as const satisfies Readonly<Record<string, string>>;

export type TargetName = keyof typeof TARGETS;
export const TARGET_NAMES = Object.keys(TARGETS) as readonly TargetName[];

/** What can be set of a target. */
export interface TargetSettings {
  /** Of the CPU, inside one operator; 1 by default. A command is told by `{threads}`. */
  readonly threads?: number;
  /** Of the target `command`: what the shell runs, with `{model}` where the path of the ONNX file belongs. */
  readonly command?: string;
  /** Of the targets `browser` and `browser-webgpu`: the executable of Chromium, where it is not at a usual place. */
  readonly browser?: string;
  /** A device that is silent for so many seconds has hung; `PATIENCE` by default. */
  readonly patience?: number;
}

/** Seconds. A single run of a network, or a whole command, may take as long. */
export const PATIENCE = 120;
