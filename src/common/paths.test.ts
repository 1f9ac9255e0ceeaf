import assert from 'node:assert/strict';
import { test } from 'node:test';
import { valuesWithoutFolders, withoutFolders } from './paths.ts';

test('an absolute path is cut to its last name', () => {
  const cases = {
    '/home/Ann Smith/photos': 'photos',
    'C:\\Users\\Ann Smith\\photos\\': 'photos',
    '\\\\server\\share\\photos': 'photos',
    '/photos': 'photos',
    'image "/home/Ann Smith/cat.jpg": it cannot be decoded': 'image "cat.jpg": it cannot be decoded',
    "ENOENT: no such file, open '/home/ann/x.png'": "ENOENT: no such file, open 'x.png'",
    'at run (file:///work/netsmith/src/train.ts:12:3)': 'at run (train.ts:12:3)',
    'at /onnxruntime_src/core/conv.cc:516 Invoke': 'at conv.cc:516 Invoke',
    'open D:\\data\\x.csv, line 3': 'open x.csv, line 3',
    "netsmith search --data-dir '/home/Ann Smith/photos' --out /tmp/runs/x":
      "netsmith search --data-dir 'photos' --out x",
    "--out '/home/O'\\''Brien/runs/x' --seed 1": "--out 'x' --seed 1",
    '"O\'Brien" and "/home/O\'Brien/x"': '"O\'Brien" and "x"',
  };
  for (const [text, expected] of Object.entries(cases)) assert.equal(withoutFolders(text), expected);
});

test('what is no absolute path stays', () => {
  const texts = [
    'runs/a',
    './a/b',
    '3/1/weight',
    'samples/s, 5 / 6',
    'https://example.org/a/b',
    'train + valid',
    'and/or',
  ];
  for (const text of [...texts, 'km/h', '<b>a</b>', '12px/1.5 a/b', 'a\\u001b[2J', ''])
    assert.equal(withoutFolders(text), text);
});

test('in plain data, at any depth', () => {
  const value = { a: ['/x/y', 1, null], b: { '/key/stays': true, c: undefined } };
  assert.deepEqual(valuesWithoutFolders(value), { a: ['y', 1, null], b: { '/key/stays': true, c: undefined } });
});
