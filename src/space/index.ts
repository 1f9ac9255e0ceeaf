/** Pillar 1: networks and search spaces as data, and everything that can be done with them short of computing. */

export { isFixed, type SearchSpace } from './search-space.ts';
export type * from './space.ts';
export * from './spaces/index.ts';
export {
  architectureKey,
  checkArchitecture,
  formatArchitecture,
  parseArchitecture,
} from './tree/architecture.ts';
export * from './tree/builders.ts';
export * from './tree/composites.ts';
export { type Constraints, constrained } from './tree/constrain.ts';
export { count } from './tree/count.ts';
export { decided, decisions, isActive } from './tree/decisions.ts';
export { type Built, type DefineOptions, defineSpace } from './tree/define.ts';
export { derive } from './tree/derive.ts';
export { describeDomain, domainSize, equalValues, formatValue, inDomain } from './tree/domain.ts';
export { encodeAdjacency, encodeOneHot, encodePath } from './tree/encode.ts';
export { first, successor } from './tree/enumerate.ts';
export { moduleFromJson, spaceFromJson, spaceToJson } from './tree/json.ts';
export type * from './tree/module.ts';
export { hasSupernet, mapChildren, resolve, resolveHyperparameters, scaleWidth, supernet } from './tree/resolve.ts';
export { searchSpaceOf } from './tree/tree-search-space.ts';
export { activeDecisions, combine, crossover, mutate, neighbors, sample } from './tree/vary.ts';
export { childrenOf } from './tree/walk.ts';
