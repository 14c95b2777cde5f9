import type { Code } from "@countersign/agent-key";
import { MAX_PROBLEM_BYTES, refusalCode } from "@countersign/agent-key/problem";

/** Reads why a server refused. The response's own body stays unread. */
export function responseCode(response: Response): Promise<Code | undefined> {
  const { headers } = response;
  const fields = {
    wwwAuthenticate: headers.get("www-authenticate"),
    contentType: headers.get("content-type"),
  };
  return refusalCode(fields, () => readStart(response.clone()));
}

async function readStart(copy: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = copy.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    size += value.length;
    if (size > MAX_PROBLEM_BYTES) {
      // Not awaited: of two copies of a body, cancelling one is done only when the other is cancelled too.
      reader.cancel().catch(ignore);
      return "";
    }
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Discards the rest of an answer that will not be read. */
export function discard(response: Response): void {
  response.body?.cancel().catch(ignore);
}

// A body that cannot be cancelled is over already.
function ignore(): void {}
