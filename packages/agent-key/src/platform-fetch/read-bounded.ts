/** The bytes of a body, as far as they were read. */
export interface BoundedBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether the body is longer than what was read. Its rest is not read, and its connection is closed. */
  readonly isCut: boolean;
}

/**
 * Reads the body of an answer up to a bound.
 *
 * @param maxBytes - how many bytes are read at most
 * @throws what the body's stream fails with
 */
export async function readBounded(response: Response, maxBytes: number): Promise<BoundedBody> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let isCut = false;
  if (response.body !== null) {
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      isCut = length + value.length > maxBytes;
      const chunk = isCut ? value.subarray(0, maxBytes - length) : value;
      chunks.push(chunk);
      length += chunk.length;
      if (!isCut) continue;
      await reader.cancel();
      break;
    }
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return { bytes, isCut };
}
