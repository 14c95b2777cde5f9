import { type Code, isCode } from "@countersign/agent-key";

const CHALLENGE = /(?:^|,)[ \t]*AgentAssertion +error="([a-z_]{1,32})"/i;
const MAX_PROBLEM_BYTES = 64 * 1024;

/**
 * Reads why a server refused, from `WWW-Authenticate`, else from problem+json. The response's own body stays unread.
 *
 * It is a hint: whoever acts on it must not trust it further than protocol.md §8 says.
 */
export async function refusalCode(response: Response): Promise<Code | undefined> {
  const challenge = CHALLENGE.exec(response.headers.get("www-authenticate") ?? "")?.[1];
  if (isCode(challenge)) return challenge;
  const type = response.headers.get("content-type") ?? "";
  if (!/^application\/problem\+json\s*(?:;|$)/i.test(type)) return undefined;
  try {
    const problem: unknown = JSON.parse(await readStart(response.clone()));
    const code = typeof problem === "object" && problem !== null && "code" in problem;
    return code && isCode(problem.code) ? problem.code : undefined;
  } catch {
    // A body that breaks off or is no JSON gives no reason; the refusal stands.
    return undefined;
  }
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
      break;
    }
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Gives up the rest of an answer that nobody will read. */
export function discard(response: Response): void {
  response.body?.cancel().catch(ignore);
}

// A body that cannot be cancelled is over already.
function ignore(): void {}
