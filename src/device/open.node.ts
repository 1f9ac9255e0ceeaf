/** The targets by name. Each is loaded when it is asked for: what one needs, such as a browser, the others do not. */
import { invalid } from '../common/errors.ts';
import type { TargetName, TargetSettings } from './index.ts';
import type { Target } from './target.ts';

/** A target with its settings; nothing is started before it is opened. Throws UserError for settings that it cannot have. */
export async function targetOf(name: TargetName, settings: TargetSettings = {}): Promise<Target> {
  if (name !== 'command' && settings.command !== undefined)
    throw invalid(
      '--device-command',
      `"${settings.command}"`,
      `the target is ${name}: it needs --device-target command`,
    );
  if (!name.startsWith('browser') && settings.browser !== undefined)
    throw invalid('--browser', `"${settings.browser}"`, `the target is ${name}: it needs --device-target browser`);
  switch (name) {
    case 'node':
    case 'webgpu':
      return (await import('./onnxruntime.node.ts')).onnxruntimeTarget(name, settings);
    case 'command':
      return (await import('./command.node.ts')).commandTarget(settings);
    case 'browser':
    case 'browser-webgpu':
      return (await import('./browser.node.ts')).browserTarget(name, settings);
  }
}
