/** What glibc reads when a process starts. */
const NAME = 'GLIBC_TUNABLES';
const LARGE_PAGES = 'glibc.malloc.hugetlb=1';

/**
 * The environment of a process that is to compute: that of this one, with glibc told to ask the kernel for large pages
 * (`madvise`), of which tensors are then made. Steps take a few percent less time, those that get and return much memory more
 * (docs/engine.md). Other C libraries do not look at it; what a person has set stays.
 */
export function withLargePages(env: Readonly<NodeJS.ProcessEnv> = process.env): NodeJS.ProcessEnv {
  return { [NAME]: LARGE_PAGES, ...env };
}
