/** Pillar 1: networks and search spaces as data, and everything that can be done with them short of computing. */
export {
  architectureKey,
  checkArchitecture,
  formatArchitecture,
  parseArchitecture,
} from './architecture.ts';
export * from './builders.ts';
export * from './composites.ts';
export { count } from './count.ts';
export { decided, decisions, isActive } from './decisions.ts';
export { type Built, type DefineOptions, defineSpace, type OptionsOf, wholeOption } from './define.ts';
export { derive } from './derive.ts';
export { describeDomain, domainSize, equalValues, formatValue, inDomain } from './domain.ts';
export { encodeAdjacency, encodeOneHot, encodePath } from './encode.ts';
export { first, successor } from './enumerate.ts';
export { moduleFromJson, spaceFromJson, spaceToJson } from './json.ts';
export type * from './module.ts';
export { mapChildren, resolve, resolveHyperparameters, scaleWidth, supernet } from './resolve.ts';
export { isFixed, type SearchSpace } from './search-space.ts';
export type * from './space.ts';
export * from './spaces/index.ts';
export { searchSpaceOf } from './tree-search-space.ts';
export { activeDecisions, crossover, mutate, neighbors, sample } from './vary.ts';
export { childrenOf } from './walk.ts';
