import { describeServerText } from "@countersign/agent-key/redaction";
import { AuthorityError } from "../authority-error.js";
import { mediaType } from "./answer-error.js";
import type { Exchange } from "./exchange.js";

const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json$/;

/**
 * Parses the body of an authority's answer.
 *
 * @param what - names the call in errors
 * @throws {AuthorityError} `bad_response` if the body is not JSON, or was cut
 */
export function parseAnswer(what: string, answer: Exchange): unknown {
  const type = mediaType(answer);
  if (answer.isCut) throw badResponse(`the answer to ${what} is longer than 1 MiB`, answer);
  if (!JSON_TYPE.test(type)) {
    const named = type === "" ? "no content type" : describeServerText(type);
    throw badResponse(`the answer to ${what} is no JSON: ${named}`, answer);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.body));
  } catch {
    // The parser's own message quotes the answer, which may hold anything.
    throw badResponse(`the answer to ${what} is no JSON that can be read`, answer);
  }
}

function badResponse(message: string, answer: Exchange): AuthorityError {
  return new AuthorityError("bad_response", message, {
    status: answer.status,
    hint: "check that the authority's address is right and names an authority",
  });
}
