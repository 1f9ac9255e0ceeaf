import { searchSpaceConformance } from '../testing/conformance.ts';
import { neatSpace } from './neat.ts';

for (const [name, options] of Object.entries({
  minimal: {},
  recurrent: { recurrent: true, bias: 0 },
  random: { start: 'random' },
  fixed: { start: 'layered', growth: false, hidden: 3 },
} as const))
  searchSpaceConformance(neatSpace(name, { inputs: 3, outputs: 2, ...options }));
