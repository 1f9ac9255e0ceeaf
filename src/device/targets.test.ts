import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { UserError } from '../common/errors.ts';
import { answerOf } from './command.node.ts';
import { targetOf } from './open.node.ts';
import { targetConformance } from './testing/conformance.ts';
import { chainModel } from './testing/models.ts';

/** A command of this Node, quoted for the shell. */
const script = (code: string) => `"${process.execPath}" -e "${code}" {model}`;
/** Reads the model, and prints a time by its size. */
const TIMER = script("console.log(require('fs').readFileSync(process.argv[1]).length / 1000)");
const REQUEST = { batch: 1, warmup: 0, runs: 1, seconds: 0 };

await targetConformance({ target: await targetOf('node'), required: true });
await targetConformance({ target: await targetOf('webgpu'), required: process.env.NETSMITH_REQUIRE_WEBGPU === '1' });
await targetConformance({ target: await targetOf('command', { command: TIMER }), required: true, runsModels: false });

suite('node', () => {
  test('a larger network takes longer, and an abort in the middle of a timing ends it', async () => {
    const target = await (await targetOf('node', { threads: 1 })).open();
    try {
      const [small, large] = [
        await target.time(chainModel(1, 8), { ...REQUEST, runs: 20 }),
        await target.time(chainModel(20, 200), { ...REQUEST, runs: 20 }),
      ];
      assert.ok(Math.min(...large.milliseconds) > Math.min(...small.milliseconds));
      assert.ok((large.peakBytes ?? 0) > 0);
      const stop = new AbortController();
      const endless = target.time(chainModel(1, 8), { ...REQUEST, seconds: 1e6, signal: stop.signal });
      setImmediate(() => stop.abort(new Error('enough')));
      await assert.rejects(endless, /enough/);
      assert.equal((await target.time(chainModel(1, 8), REQUEST)).milliseconds.length, 1);
    } finally {
      await target.close();
    }
  });
});

suite('command', () => {
  const opened = async (command: string, patience = 60) => (await targetOf('command', { command, patience })).open();

  test('one number is asked for again, a list is taken as it is', async () => {
    const target = await opened(TIMER);
    assert.equal((await target.time(chainModel(1, 8), { ...REQUEST, runs: 10 })).milliseconds.length, 3);
    await target.close();
    const list = await opened(script("console.log('[1, 2, 3, 4.5]', process.argv[1] ? '' : '')"));
    assert.deepEqual((await list.time(chainModel(1, 8), { ...REQUEST, runs: 10 })).milliseconds, [1, 2, 3, 4.5]);
    await list.close();
  });

  test('batch, threads and runs take the place of their names', async () => {
    const command = `${script("console.log('[' + process.argv.slice(2) + ']')")} {batch} {threads} {runs}`;
    const target = await (await targetOf('command', { command, threads: 4 })).open();
    const { milliseconds } = await target.time(chainModel(1, 8), { ...REQUEST, batch: 7, runs: 9 });
    assert.deepEqual(milliseconds, [7, 4, 9]);
    await target.close();
  });

  test('words, nothing, times that are not above 0, exit codes and hangs are refused with place, value and rule', async () => {
    const refused = async (code: string, expected: RegExp, patience?: number) =>
      assert.rejects(opened(script(code), patience), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, /^--device-command/);
        assert.match(error.message, expected);
        return true;
      });
    await refused("console.log('fast')", /it prints "fast"; must print milliseconds/);
    await refused('console.log(-3)', /it prints -3; must/);
    await refused('console.log(0)', /it prints 0; must/);
    await refused('', /it prints nothing/);
    await refused("console.error('no such board'); process.exit(3)", /exits with code 3: no such board; must exit/);
    await refused('setInterval(() => {}, 1000)', /no answer after 1 s; must end; --device-timeout/, 1);
    await assert.rejects(targetOf('command', { command: 'time.sh' }), /"time.sh"; must have \{model\}/);
    await assert.rejects(targetOf('command'), /--device-command: none/);
    await assert.rejects(targetOf('node', { command: TIMER }), /it needs --device-target command/);
  });

  test('what may be printed', () => {
    assert.deepEqual(answerOf(' 1.5e1 \n'), { milliseconds: [15] });
    assert.deepEqual(answerOf('{"milliseconds": 3, "peakBytes": 10}'), { milliseconds: [3], peakBytes: 10 });
    for (const text of [
      '[]',
      '[1, "2"]',
      '{"ms": 3}',
      '[1, null]',
      '{"milliseconds": [1], "peakBytes": -1}',
      '[1',
      '1 2',
    ])
      assert.throws(() => answerOf(text), UserError, text);
  });
});
