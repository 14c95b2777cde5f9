import { createHash, timingSafeEqual } from "node:crypto";
import { AssertionProxyError } from "./assertion-proxy-error.js";

const TOKEN = /^[!-~]{16,512}$/;

/**
 * Makes the check of a client token. It takes the same time whatever is presented: hashes of one length are compared.
 *
 * @param token - 16 to 512 visible ASCII characters; 256 random bits are a good one
 * @returns tells whether what a client presented is the token
 * @throws {AssertionProxyError} `config_invalid` for a token of another form; the message does not show it
 */
export function createTokenCheck(token: string): (presented: string) => boolean {
  if (!TOKEN.test(token)) {
    throw new AssertionProxyError(
      "config_invalid",
      "the client token is not 16 to 512 visible ASCII characters",
      { hint: "give 32 random bytes in base64url" },
    );
  }
  const expected = sha256(token);
  return (presented) => timingSafeEqual(sha256(presented), expected);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text, "latin1").digest();
}
