/** A simulator over standard input and output, for tests: a walk on a line; the first argument says what is wrong with it. */
import { createInterface } from 'node:readline';

const fault = process.argv[2] ?? '';
let at = 0;

const about = {
  name: 'walk',
  observation: { shape: [2], names: ['place', 'steps'], low: [-10, 0], high: [10, null] },
  action: { kind: 'discrete', count: 2 },
  maxSteps: 5,
  success: { return: 2 },
};
const image = { ...about, name: 'image', observation: { shape: [1, 2, 3], low: 0, high: 1 } };
let steps = 0;
const seen = () =>
  fault === 'image'
    ? [
        [
          [1, 0, 1],
          [0, 1, at & 1],
        ],
      ]
    : [at, steps];

const ANSWERS: Readonly<Record<string, () => string>> = {
  words: () => '{"observation": ["far", 0], "reward": 1, "terminated": false}',
  nan: () => '{"observation": [NaN, 0], "reward": 1, "terminated": false}',
  large: () => '{"observation": [0, 0], "reward": 1e999, "terminated": false}',
  short: () => '{"observation": [0], "reward": 1, "terminated": false}',
  long: () => '{"observation": [0, 0, 0], "reward": 1, "terminated": false}',
  maybe: () => '{"observation": [0, 0], "reward": 1, "terminated": "maybe"}',
  chatter: () => 'Loading the world ...',
  list: () => '[0, 0]',
  exit: () => {
    process.stderr.write('out of fuel\n');
    process.exit(3);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.do === 'describe') {
    if (fault === 'shapeless') console.log(JSON.stringify({ ...about, observation: { shape: 'two' } }));
    else if (fault === 'silent') continue;
    else console.log(JSON.stringify(fault === 'image' ? image : about));
    continue;
  }
  if (request.do === 'reset') {
    at = request.seed % 2;
    steps = 0;
    console.log(JSON.stringify({ observation: seen() }));
    continue;
  }
  at += request.action === 1 ? 1 : -1;
  steps++;
  const wrong = ANSWERS[fault];
  const right = { observation: seen(), reward: request.action, terminated: at === 3 };
  console.log(wrong === undefined || steps < 2 ? JSON.stringify(right) : wrong());
}
if (fault === 'stays') setInterval(() => {}, 1000);
