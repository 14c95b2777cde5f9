import { platformFetch, readBounded } from "@countersign/agent-key/platform-fetch";
import { AgentAuthorityError } from "../agent-authority-error.js";

const MAX_BYTES = 262_144;
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i;

/**
 * Gets a JSON document of an issuer. No credential is sent, no redirect is followed; at most 256 KiB are read.
 *
 * @throws {AgentAuthorityError} `bad_response` when the answer is another; whatever `fetch` throws without one
 */
export async function fetchJson(url: string, signal: AbortSignal): Promise<unknown> {
  const response = await platformFetch(url, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal,
  });
  const type = response.headers.get("content-type") ?? "";
  if (response.status !== 200 || !JSON_TYPE.test(type)) {
    await response.body?.cancel();
    throw badResponse(url, response.status === 200 ? "is no JSON" : `is ${response.status}`);
  }
  const { bytes, isCut } = await readBounded(response, MAX_BYTES);
  if (isCut) throw badResponse(url, `is longer than ${MAX_BYTES} bytes`);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // The parser's message quotes the answer, which may hold anything.
    throw badResponse(url, "is no JSON");
  }
}

function badResponse(url: string, what: string): AgentAuthorityError {
  return new AgentAuthorityError("bad_response", `the answer of ${url} ${what}`, {
    hint: "check the issuer's URL",
  });
}
