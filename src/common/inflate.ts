/** The bytes that were compressed, in Node and in browsers. Throws TypeError for damaged ones. Node's `Response` would take longer to load than this takes. */
export async function inflate(packed: Uint8Array<ArrayBuffer>, format: 'gzip' | 'deflate-raw'): Promise<Uint8Array> {
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream(format)).getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) parts.push(next.value);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}
