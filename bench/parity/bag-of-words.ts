// The baseline bag-of-words against scikit-learn's TfidfVectorizer and LogisticRegression, on validation texts: on the same tokens, and on the
// texts as they are with scikit-learn's own words. The test files are not opened.
//   python3 -m venv /tmp/sklearn && /tmp/sklearn/bin/pip install scikit-learn
//   npx node --conditions=netsmith-source bench/parity/bag-of-words.ts --python /tmp/sklearn/bin/python [--data ../shared/data] [--seeds 3] [--only trec]
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bagOfWords } from '../../src/baseline/bag-of-words.ts';
import { measureBaseline } from '../../src/baseline/measure.ts';
import { baselineTask, loadRows } from '../../src/baseline/rows.ts';
import type { SearchData } from '../../src/data/dataset.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { openTokenizer } from '../../src/data/text/tokenizer.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    data: { type: 'string', default: '../shared/data' },
    seeds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
});

const script = new URL('bag_of_words_reference.py', import.meta.url).pathname;
for (const set of ['sms-spam', 'trec', 'sst2'].filter((name) => values.only === undefined || name === values.only)) {
  for (let seed = 0; seed < Number(values.seeds); seed++) {
    const dir = join(values.data, set, 'train.csv');
    // The test file of its own keeps the rest whole.
    const request = {
      name: 'csv',
      dir,
      seed,
      text: 'text',
      label: 'label',
      testFile: join(values.data, set, 'test.csv'),
    };
    const { search } = await openDataset(request);
    const exact = await openDataset({ ...request, tokens: 'characters', textLength: 4096 });
    const task = baselineTask(search.info);
    if (task === undefined) throw new Error('texts have a class');
    const train = await loadRows(task, search.train, seed);
    const valid = await loadRows(task, search.valid, seed);
    const started = process.cpuUsage();
    const fitted = await bagOfWords.fit({ ...task, train, valid }, { seed });
    const { user, system } = process.cpuUsage(started);
    const measured = await measureBaseline(task, fitted, search.valid, {});
    const input = {
      c: [10, 30],
      tokens: { train: await words(search, 'train'), valid: await words(search, 'valid') },
      texts: { train: await words(exact.search, 'train'), valid: await words(exact.search, 'valid') },
      targets: { train: [...train.targets], valid: [...valid.targets] },
    };
    const answer = execFileSync(values.python, [script], { input: JSON.stringify(input), maxBuffer: 2 ** 28 });
    const reference: Record<string, number> = JSON.parse(answer.toString());
    const shares = { ours: measured?.metrics.accuracy ?? Number.NaN, ...reference };
    const listed = Object.entries(shares).map(([name, share]) => `${name} ${(100 * share).toFixed(2)}`);
    const seconds = ((user + system) / 1e6).toFixed(1);
    console.log(`${set}, seed ${seed}: ${listed.join('; ')} (${fitted.effort} iterations, ${seconds} s)`);
  }
}

/** Tokens as words of a text: their numbers; characters as they are. */
async function words({ info, ...parts }: SearchData, part: 'train' | 'valid'): Promise<string[]> {
  const [length = 0] = info.input;
  const tokenizer = info.text && openTokenizer(info.text.tokenizer);
  const isText = info.text?.tokenizer.kind === 'characters';
  const texts: string[] = [];
  for (let i = 0; i < parts[part].count; i++) {
    const tokens = new Int32Array(length);
    await parts[part].read([i], { tokens });
    const own = tokens.filter((token) => token !== 0);
    texts.push(isText ? (tokenizer?.decode(own.map((token) => token - 1)) ?? '') : own.join(' '));
  }
  return texts;
}
