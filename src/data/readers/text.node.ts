import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { invalid } from '../../common/errors.ts';
import { deepFreeze } from '../../common/json.ts';
import { printable } from '../../common/text.ts';
import { TEXT_NAME, type TokenKind } from '../catalog.ts';
import type { DataRequest, Dataset } from '../dataset.ts';
import { thousands } from '../split.ts';
import { tokenLengths } from '../text/lengths.ts';
import { openTokenizer, type Tokenizer, tokenizerFor } from '../text/tokenizer.ts';
import { allWindows, trainingWindows } from '../text/windows.ts';
import { kindOf } from './files.node.ts';
import { type Role, roleOf } from './parts.ts';
import { readText } from './text-bytes.node.ts';
import { filesBelow, type Tally, unreadNotes } from './walk.node.ts';

/** Tokens of a sample, unless asked otherwise. */
const LENGTH = 64;
/** Shares of the whole text that become validation and test part, where it has none of its own. */
const SHARE = 0.05;

/** The texts of each part, in order. */
interface Texts extends Readonly<Record<Role, readonly string[]>> {
  readonly notes: readonly string[];
}

/**
 * A text to continue, or a folder of texts: a language model. Text files named like parts (train.txt, valid.txt, test.txt), or in folders
 * named so, are the parts. Otherwise all files are one text, in the order of their names: its last 5 % are the test part, and the
 * `validShare` of the whole before that are the validation part. The vocabulary is that of the training part.
 *
 * Throws UserError: with the file and the line for a file that is not text, and for a part that is too short for its windows.
 */
export async function openText(request: DataRequest): Promise<Dataset> {
  const { dir = '', tokens = 'characters', textLength = LENGTH, trainSamples, validShare } = request;
  const kind = request.tokenizer?.kind ?? tokens;
  const place = `text "${printable(dir)}"`;
  const texts = await textsOf(place, dir, validShare ?? SHARE, kind);
  const tokenizer = tokenizerFor(place, texts.train, { ...request, tokens });
  const opened = openTokenizer(tokenizer);
  const encoded = (role: Role) => opened.encode(texts[role].join('\n'));
  const [train, valid, test] = [encoded('train'), encoded('valid'), encoded('test')];
  for (const [part, found, least] of [
    ['training', train, 2 * textLength],
    ['validation', valid, 2],
    ['test', test, 2],
  ] as const)
    if (found.length < least && !(part === 'validation' && validShare === 0))
      throw invalid(
        place,
        `the ${part} part has ${thousands(found.length)} ${found.length === 1 ? 'token' : 'tokens'} (${kind})`,
        `must have at least ${thousands(least)}${part === 'training' ? ', two samples: give it more text, or a smaller --text-length' : ''}`,
      );
  const samples = {
    train: trainingWindows(train, textLength, trainSamples),
    valid: allWindows(valid.length < 2 ? new Int32Array(1) : valid, textLength),
    test: allWindows(test, textLength),
  };
  const lengths = tokenLengths(tokenizer, opened);
  return {
    search: {
      info: deepFreeze({
        ...{ name: 'text', kind: 'language-model', input: [textLength], outputs: opened.vocabulary.length },
        ...{ labels: [...opened.vocabulary], mean: [], deviation: [], text: { tokenizer } },
        ...(lengths !== undefined && { tokenLengths: lengths }),
        counts: { train: samples.train.count, valid: samples.valid.count, test: samples.test.count },
        notes: [
          ...texts.notes,
          `${thousands(train.length + valid.length + test.length)} tokens (${kind}), ${thousands(opened.vocabulary.length)} different ones; ${thousands(textLength)} in a sample.`,
          ...unknownNotes(opened, texts),
        ],
      }),
      train: samples.train,
      valid: samples.valid,
    },
    openTest: async () => samples.test,
  };
}

async function textsOf(place: string, dir: string, validShare: number, kind: TokenKind): Promise<Texts> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isFile()) return divided(place, [await readText(dir)], validShare, kind, []);
  if (!found?.isDirectory()) {
    const what = found === undefined ? 'it does not exist' : `it is ${kindOf(found)}`;
    throw invalid(place, what, 'must be a text file, or a folder of them');
  }
  const unread: Tally = new Map();
  const names = await filesBelow(dir, { name: TEXT_NAME }, unread);
  if (names.length === 0)
    throw invalid(place, ['it has no text file', ...unreadNotes(unread)].join('; '), 'must have a .txt file');
  const roles = new Map(names.map((name) => [name, partOf(name)]));
  const isDivided = ['train', 'valid', 'test'].every((role) => [...roles.values()].includes(role as Role));
  const read = (some: readonly string[]) => Promise.all(some.map((name) => readText(join(dir, name))));
  if (!isDivided) {
    const notes = [
      ...(names.length > 1 ? [`${thousands(names.length)} text files are one text, in the order of their names.`] : []),
      ...unreadNotes(unread),
    ];
    return divided(place, await read(names), validShare, kind, notes);
  }
  const filesOf = (role: Role) => names.filter((name) => roles.get(name) === role);
  const others = names.filter((name) => roles.get(name) === undefined);
  const listed = others.slice(0, 8).map(printable).join(', ');
  return {
    train: await read(filesOf('train')),
    valid: await read(filesOf('valid')),
    test: await read(filesOf('test')),
    notes: [
      'The text files are named like the parts: training, validation and test.',
      ...(others.length > 0 ? [`Files that are not named like a part were not read: ${listed}.`] : []),
      ...unreadNotes(unread),
    ],
  };
}

/** The part that a path within the folder names: by its folder at the top, or by the name of a file there. */
function partOf(path: string): Role | undefined {
  const [top = ''] = path.split('/');
  return roleOf(basename(top).replace(TEXT_NAME, ''));
}

/** Cuts a text into its parts by characters; not within words, where those are the tokens. */
function divided(
  place: string,
  texts: readonly string[],
  validShare: number,
  kind: TokenKind,
  notes: readonly string[],
): Texts {
  const whole = texts.join('\n');
  if (validShare + SHARE >= 1)
    throw invalid(place, `validShare is ${validShare}`, `must be below ${1 - SHARE}: the last 5 % are the test part`);
  const cut = (share: number): number => {
    // 1 - 0.05 - 0.05 is a little less than 0.9.
    let at = Math.floor(share * whole.length + 1e-6);
    const isWhole = kind === 'characters' || kind === 'bytes';
    // Not between the halves of a character beyond the 16th bit.
    if (isWhole) return /[\udc00-\udfff]/.test(whole.charAt(at)) ? at + 1 : at;
    while (at < whole.length && !/\s/.test(whole.charAt(at))) at++;
    return at;
  };
  const [first, second] = [cut(1 - SHARE - validShare), cut(1 - SHARE)];
  return {
    train: [whole.slice(0, first)],
    valid: [whole.slice(first, second)],
    test: [whole.slice(second)],
    notes: [
      ...notes,
      `No split found: the last 5 % of the text are held out for the test, and ${+(100 * validShare).toFixed(2)} % before them are used for validation.`,
    ],
  };
}

/** A note where the validation part has characters or words that the vocabulary does not have. The test part is not looked at. */
function unknownNotes(tokenizer: Tokenizer, { valid }: Texts): readonly string[] {
  const unknown = tokenizer.unknown(valid.join('\n'));
  if (unknown.length === 0) return [];
  const shown = unknown.slice(0, 8).map((one) => JSON.stringify(one));
  return [
    `${thousands(unknown.length)} of validation ${unknown.length === 1 ? 'is' : 'are'} not in the vocabulary: ${shown.join(', ')}${unknown.length > 8 ? ', and others' : ''}.`,
  ];
}
