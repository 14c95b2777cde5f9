import { type Code, isCode } from "@countersign/agent-key/codes";

const CHALLENGE = /(?:^|,)[ \t]*AgentAssertion +error="([a-z_]{1,32})"/i;

/** How much of a refusal is read for its reason, bytes. */
export const MAX_PROBLEM_BYTES = 64 * 1024;

/** The fields of a refusal that may say why. */
export interface RefusalFields {
  readonly wwwAuthenticate: string | null | undefined;
  readonly contentType: string | null | undefined;
}

/**
 * Reads why a server refused, from `WWW-Authenticate`, else from problem+json.
 *
 * It is a hint: whoever acts on it must not trust it further than protocol.md §8 says.
 *
 * @param readStart - called only when the body may say why; gives it whole, or any text that is no JSON if it is over
 * {@link MAX_PROBLEM_BYTES}
 */
export async function refusalCode(
  { wwwAuthenticate, contentType }: RefusalFields,
  readStart: () => string | Promise<string>,
): Promise<Code | undefined> {
  const challenge = CHALLENGE.exec(wwwAuthenticate ?? "")?.[1];
  if (isCode(challenge)) return challenge;
  if (!/^application\/problem\+json\s*(?:;|$)/i.test(contentType ?? "")) return undefined;
  try {
    const problem: unknown = JSON.parse(await readStart());
    const code = typeof problem === "object" && problem !== null && "code" in problem;
    return code && isCode(problem.code) ? problem.code : undefined;
  } catch {
    // A body that breaks off or is no JSON gives no reason; the refusal stands.
    return undefined;
  }
}
