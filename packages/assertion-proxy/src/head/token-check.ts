import { hash, timingSafeEqual } from "node:crypto";
import { AssertionProxyError } from "../refusal/assertion-proxy-error.js";

const TOKEN = /^[!-~]{16,512}$/;

/**
 * Makes the check of a token that callers present. It takes the same time however much of the token a text has.
 *
 * @param option - the option that the token was given as, for the message
 * @param token - 16 to 512 visible ASCII characters; 256 random bits are a good one
 * @returns a function that returns whether a text is the token
 * @throws {AssertionProxyError} `config_invalid` for a token of another form; the message does not show it
 */
export function createTokenCheck(option: string, token: string): (presented: string) => boolean {
  if (!TOKEN.test(token)) {
    throw new AssertionProxyError(
      "config_invalid",
      `${option} must be 16 to 512 visible ASCII characters`,
      { hint: "give 32 random bytes in base64url" },
    );
  }
  const expected = sha256(token);
  return (presented) => timingSafeEqual(sha256(presented), expected);
}

function sha256(text: string): Buffer {
  return hash("sha256", Buffer.from(text, "latin1"), "buffer");
}
