/** The targets that networks can be timed on, by name, and what can be set of them. */
export type TargetName = 'node' | 'webgpu' | 'browser' | 'browser-webgpu' | 'command';

/** What each is, for help and messages. */
export const TARGETS: Readonly<Record<TargetName, string>> = {
  node: 'the CPU, by onnxruntime-node',
  webgpu: 'the graphics card, by the WebGPU of onnxruntime-node',
  browser: 'the CPU in Chromium, by the WebAssembly of onnxruntime-web',
  'browser-webgpu': 'the graphics card in Chromium, by the WebGPU of onnxruntime-web',
  command: 'any device, by a command of your own that times an ONNX file and prints milliseconds',
};
export const TARGET_NAMES = Object.keys(TARGETS) as readonly TargetName[];

/** What can be set of a target. */
export interface TargetSettings {
  /** Of the CPU, inside one operator; 1 by default. The target `command` does not read it. */
  readonly threads?: number;
  /** Of the target `command`: what the shell runs, with `{model}` where the path of the ONNX file belongs. */
  readonly command?: string;
}
