import { type Command, Option } from 'commander';
import { type Examined, examineMachine } from '../app/doctor.ts';
import { invalid } from '../common/errors.ts';
import { isWhole, numberIfItIsOne } from '../common/numbers.ts';
import { showBytes, showCount, showSeconds } from '../report/numbers.ts';
import { define, outputOf, type Shell } from './command.ts';

/** `netsmith doctor`: { ok, versions, machine, engine, webgpu, cuda, browser, training, problems } */
export function addDoctor(program: Command, shell: Shell): void {
  define(program, 'doctor', 'Check this machine: Node, engine, threads, memory, GPU, and a short training', [
    'netsmith doctor',
    'netsmith doctor --threads 4 --json',
  ])
    .addOption(new Option('--threads <n>', 'threads of the training').argParser(numberIfItIsOne).default(1))
    .action(async ({ threads }: { readonly threads: number | string }, command: Command) => {
      if (!isWhole(threads, 1, 256)) throw invalid('--threads', `"${threads}"`, 'must be a whole number from 1 to 256');
      const output = outputOf(command, shell);
      output.note('Training a small network on the bundled digits ...');
      const found = await examineMachine({ threads });
      if (!found.ok) shell.exitCode = 1;
      output.result(found, textOf(found));
    });
}

function textOf({ versions, machine, engine, webgpu, cuda, browser, training, problems }: Examined): string {
  const lines = [
    ['Netsmith', versions.netsmith],
    ['Node', `${versions.node}, ${machine.platform} ${machine.arch}`],
    ['Processor', `${machine.cpu || machine.arch}, ${machine.cores} cores`],
    [
      'Memory',
      `${showBytes(machine.memoryBytes)}, of which training may take ${showBytes(machine.availableBytes)} now`,
    ],
    ['Engine', engine === null ? 'does not work' : `ONNX Runtime ${versions.onnxruntime}, ${layoutText(engine.block)}`],
    ['WebGPU', webgpu.available ? 'available (--device webgpu)' : `not available: ${webgpu.reason}`],
    ['CUDA', cuda.available ? 'available (--device cuda)' : `not available: ${cuda.reason}`],
    ['Browser', browser.available ? 'available (--device-target browser)' : `not available: ${browser.reason}`],
    [
      'Training',
      training === null || engine === null
        ? 'failed'
        : `${showCount(training.samplesPerSecond)} samples/s on ${engine.threads === 1 ? '1 thread' : `${engine.threads} threads`} (${showCount(training.parameters)} parameters, 8x8 images, ${showSeconds(training.seconds)})`,
    ],
  ];
  const checks = lines.map(([name = '', text]) => `${name.padEnd(10)} ${text}`).join('\n');
  return `${checks}\n\n${problems.length === 0 ? 'Everything that Netsmith needs works.' : problems.join('\n')}`;
}

function layoutText(block: number): string {
  return block === 0
    ? 'tensors in NCHW'
    : `tensors in blocks of ${block} channels (${block === 16 ? 'AVX-512' : 'AVX2'})`;
}
