import assert from 'node:assert/strict';
import { after } from 'node:test';
import { layoutsUnderTest, testLayouts } from '../src/engine/testing/layouts.ts';
import { interpret } from '../src/graph/interpret.ts';
import { caseGraph, type ModuleCase, moduleCases } from '../src/network/testing/cases.ts';

const layouts = await layoutsUnderTest();
const programs: { dispose(): Promise<void> }[] = [];
after(async () => {
  for (const program of programs) await program.dispose();
});

const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, v) => sum + v * v, 0));
const largest = (values: Iterable<number>) => [...values].reduce((max, v) => Math.max(max, Math.abs(v)), 0);

for (const [i, { name }] of moduleCases().entries()) {
  for (const mode of ['train', 'infer'] as const) {
    testLayouts(layouts, `${name}, ${mode}: the engine agrees with the interpreter`, async ({ engine, channels }) => {
      // In halves of a block, so that some are whole blocks and some are not.
      const moduleCase = moduleCases(engine.options.block === 0 ? 1 : channels / 2)[i] as ModuleCase;
      const { graph, feeds, differentiable, indices } = caseGraph(moduleCase, mode);
      const expected = interpret(graph, feeds);
      const program = await engine.compile(graph);
      programs.push(program);
      const actual = await program.run(
        Object.fromEntries(
          Object.entries(feeds).map(([name, { shape, data }]) => [
            name,
            indices.includes(name) ? { shape, data: Int32Array.from(data) } : { shape, data: Float32Array.from(data) },
          ]),
        ),
      );
      const difference = (name: string) => {
        const reference = expected[name]?.data ?? new Float64Array();
        assert.equal(actual[name]?.data.length, reference.length);
        return reference.map((v, i) => v - (actual[name]?.data[i] ?? Number.NaN));
      };
      const output = expected.output?.data ?? [];
      assert.ok(largest(difference('output')) < 1e-4 * largest(output));
      for (const name of differentiable) {
        const gradient = expected[`d ${name}`]?.data ?? [];
        // A gradient that is zero by construction (a bias before batch norm) has no scale of its own.
        const error = norm(difference(`d ${name}`)) / Math.max(norm(gradient), 1e-1);
        assert.ok(error < 1e-3, `${name}: ${error}`);
      }
    });
  }
}
