// Our byte pairs against Hugging Face's trainer: the same text and size must give the same merges in the same order, and the same vocabulary.
//   python3 -m venv /tmp/tokenizers && /tmp/tokenizers/bin/pip install tokenizers
//   npx node --conditions=netsmith-source bench/parity/byte-pairs.ts --python /tmp/tokenizers/bin/python [--data ../shared/data] [--size 4000]
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { trainBytePairs } from '../../src/data/text/byte-pairs.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    data: { type: 'string', default: '../shared/data' },
    size: { type: 'string', default: '4000' },
  },
});

const REFERENCE = `
import sys
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(vocab_size=int(sys.argv[2]), min_frequency=2, initial_alphabet=alphabet, show_progress=False)
tokenizer.train_from_iterator([open(sys.argv[1], encoding='utf8').read()], trainer)
print(tokenizer.to_str())
`;

const file = join(values.data, 'tiny-shakespeare/input.txt');
const ours = trainBytePairs([readFileSync(file, 'utf8')], Number(values.size));
const printed = execFileSync(values.python, ['-c', REFERENCE, file, values.size], { maxBuffer: 2 ** 28 });
const { model } = JSON.parse(printed.toString('utf8'));
const same = ours.merges.findIndex((pair, i) => !isDeepStrictEqual([...pair], model.merges[i]));
const count = same === -1 ? ours.merges.length : same;
console.log(`${count} of ${model.merges.length} merges are the same, in order; ours has ${ours.merges.length}`);
console.log(`the vocabulary is ${isDeepStrictEqual({ ...ours.vocab }, model.vocab) ? 'the same' : 'another one'}`);
if (count !== model.merges.length || count !== ours.merges.length) process.exitCode = 1;
