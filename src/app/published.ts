import { networkCosts } from '../network/costs.ts';
import { parseArchitecture, resolve } from '../space/index.ts';
import type { Published, SpaceDefinition, SpaceOptions, Task } from '../space/space.ts';

/** A published architecture with what it costs here: `params` and `flops` with these options of its space. */
export interface PublishedCosts extends Published {
  readonly name: string;
  readonly options: SpaceOptions;
  readonly params: number;
  readonly flops: number;
}

/** The published architectures of a space for a task, each with the options that they are all compared with. */
export function publishedCosts(space: SpaceDefinition, task: Task): readonly PublishedCosts[] {
  const { architectures = {}, options: common } = space.published ?? {};
  return Object.entries(architectures).map(([name, published]) => {
    const options = { ...common, ...published.options };
    const tree = space.create(task, options);
    const { params, flops } = networkCosts(resolve(tree, parseArchitecture(tree, published.text)), task);
    return { name, ...published, options, params, flops };
  });
}
