/** Tests in each layout that the CPU may work in: here, and nowhere else, it is said which these are. */
import { test } from 'node:test';
import { createEngine } from '../create.ts';
import type { Engine, EngineOptions } from '../engine.ts';
import { nodeRuntime } from '../runtime/node.node.ts';

export interface LayoutUnderTest {
  readonly name: string;
  readonly layout: NonNullable<EngineOptions['layout']>;
  /** Options of a test: why it is skipped, where this processor has no such layout. */
  readonly options: { readonly skip?: string };
  readonly engine: Engine;
  /** As many channels as fill a block of the layout; few where there are no blocks. */
  readonly channels: number;
}

/** The portable and the blocked layout, with an engine of two threads each. */
export async function layoutsUnderTest(): Promise<readonly [LayoutUnderTest, LayoutUnderTest]> {
  const open = (layout: LayoutUnderTest['layout']) =>
    createEngine(nodeRuntime(), { device: 'cpu', threads: 2, layout });
  const [portable, blocked] = await Promise.all([open('portable'), open('auto')]);
  const { block } = blocked.options;
  return [
    { name: 'portable', layout: 'portable', options: {}, engine: portable, channels: 4 },
    {
      name: 'blocked',
      layout: 'auto',
      options: block === 0 ? { skip: 'this processor has no blocked operators' } : {},
      engine: blocked,
      channels: block === 0 ? 16 : block,
    },
  ];
}

/** Defines a test for each layout; skipped, with the reason, where this processor does not have it. */
export function testLayouts(
  layouts: readonly LayoutUnderTest[],
  name: string,
  body: (layout: LayoutUnderTest) => Promise<void>,
): void {
  for (const layout of layouts) test(`${layout.name}: ${name}`, layout.options, () => body(layout));
}
