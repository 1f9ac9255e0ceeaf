/**
 * The notation of the space `mobilenet`: nine groups between bars. The first has resolution, stem and activation; each of the next seven a
 * stage's width, activation, squeeze-and-excite and blocks, each `k` and its kernel and, but in the first stage, `e` and its expansion; or `-`
 * for a stage without blocks. The last has the head and its width.
 * `1 wide relu6 | 16 relu6 none k3 | 24 relu6 none k3e6 k3e6 | ... | convolution 1280`
 */
import { invalid, type UserError } from '../../../common/errors.ts';
import type { Architecture, DecisionValue, TreeArchitecture } from '../../space.ts';
import { type MobileOptions, type MobileStage, mobileStages, widthsOfHead } from './mobilenet-stages.ts';

type Multipliers = Pick<MobileOptions, 'width' | 'depth'>;
type Refuse = (found: string, rule: string) => UserError;

export function formatMobile(architecture: Architecture, options: Multipliers): string {
  const [onlyHead, ...otherHeads] = widthsOfHead(options);
  const stages = mobileStages(options).map((stage) => {
    const value = (name: string) => architecture[`${stage.name}/${name}`];
    const depth = stage.depths.length > 1 ? Number(value('depth')) : (stage.depths[0] ?? 0);
    if (depth === 0) return '-';
    const blocks = Array.from({ length: depth }, (_, i) => {
      const kernel = `k${value(`kernel${i + 1}`)}`;
      return stage.expands ? `${kernel}e${value(`expansion${i + 1}`)}` : kernel;
    });
    return [value('width') ?? stage.widths[0], value('activation'), value('squeezeExcite'), ...blocks].join(' ');
  });
  const { resolution, stem, activation, head, headWidth } = architecture;
  const width = otherHeads.length > 0 ? headWidth : onlyHead;
  return [`${resolution} ${stem} ${activation}`, ...stages, `${head} ${width}`].join(' | ');
}

/** The decisions that a text names; whether their values are allowed is for the space to check. Throws UserError for a malformed text. */
export function parseMobile(text: string, options: Multipliers): TreeArchitecture {
  const short = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  const refuse: Refuse = (found, rule) => invalid(`architecture "${short}"`, found, rule);
  const groups = text.split('|').map((group) => group.trim().split(/\s+/u));
  const stages = mobileStages(options);
  const [whole = [], ...rest] = groups;
  const head = rest.at(-1) ?? [];
  if (groups.length !== stages.length + 2)
    throw refuse(
      `has ${groups.length} group${groups.length === 1 ? '' : 's'} between bars`,
      `must have ${stages.length + 2}: RESOLUTION STEM ACTIVATION, then WIDTH ACTIVATION SQUEEZE BLOCKS of each stage, then HEAD WIDTH`,
    );
  const [resolution = '', stem = '', activation = ''] = whole;
  if (whole.length !== 3) throw refuse(`group 1 is "${whole.join(' ')}"`, 'must be RESOLUTION STEM ACTIVATION');
  const [kind = '', width = ''] = head;
  if (head.length !== 2) throw refuse(`group ${groups.length} is "${head.join(' ')}"`, 'must be HEAD WIDTH');
  return Object.fromEntries([
    ['resolution', numberIn(resolution, 'the resolution', refuse)],
    ['stem', stem],
    ['activation', activation],
    ...stages.flatMap((stage, i) => parseStage(stage, rest[i] ?? [], i + 2, refuse)),
    ['head', kind],
    ...widthDecision('headWidth', width, widthsOfHead(options), groups.length, refuse),
  ]);
}

function parseStage(
  stage: MobileStage,
  words: readonly string[],
  group: number,
  refuse: Refuse,
): readonly (readonly [string, DecisionValue])[] {
  const [width = '', activation = '', squeezeExcite = '', ...blocks] = words;
  const isMissing = words.length === 1 && width === '-';
  const form = `WIDTH ACTIVATION SQUEEZE and blocks such as ${stage.expands ? 'k3e6' : 'k3'}`;
  if (!isMissing && blocks.length === 0) throw refuse(`group ${group} is "${words.join(' ')}"`, `must be ${form}`);
  const depth = isMissing ? 0 : blocks.length;
  if (!stage.depths.includes(depth))
    throw refuse(`group ${group} has ${depth} blocks`, `must have ${stage.depths.join(' or ')}`);
  const decided: [string, DecisionValue][] = stage.depths.length > 1 ? [['depth', String(depth)]] : [];
  if (!isMissing) {
    decided.push(...widthDecision('width', width, stage.widths, group, refuse));
    decided.push(['activation', activation], ['squeezeExcite', squeezeExcite]);
  }
  for (const [i, block] of blocks.entries()) {
    const [, kernel, expansion] = /^k(\d+)(?:e(\d+(?:\.\d+)?))?$/u.exec(block) ?? [];
    if (kernel === undefined || (expansion !== undefined) !== stage.expands)
      throw refuse(`block ${i + 1} of group ${group} is "${block}"`, `must be as ${stage.expands ? 'k3e6' : 'k3'}`);
    decided.push([`kernel${i + 1}`, Number(kernel)]);
    if (expansion !== undefined) decided.push([`expansion${i + 1}`, expansion]);
  }
  return decided.map(([name, value]) => [`${stage.name}/${name}`, value] as const);
}

/** Nothing where there is only one width. */
function widthDecision(
  name: string,
  text: string,
  widths: readonly number[],
  group: number,
  refuse: Refuse,
): readonly [string, DecisionValue][] {
  const width = numberIn(text, `the width in group ${group}`, refuse);
  if (!widths.includes(width))
    throw refuse(
      `the width in group ${group} is ${width}`,
      `must be ${widths.join(' or ')} with these options of the space`,
    );
  return widths.length > 1 ? [[name, width]] : [];
}

function numberIn(text: string, what: string, refuse: Refuse): number {
  if (!/^\d+(?:\.\d+)?$/u.test(text)) throw refuse(`${what} is "${text}"`, 'must be a number');
  return Number(text);
}
