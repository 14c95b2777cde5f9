import { hideCredentials } from "./hide-credentials.js";

// Ids stand in logs as they are: nothing that is syntax in a line of text, of JSON or of a shell.
const REQUEST_ID = /^[\w.:~+/=@-]{1,128}$/;

/**
 * Returns whether a server takes this as the id of a request: 1 to 128 letters, digits and `_.:~+/=@-`, and nothing that looks like a
 * credential, because the id stands in every log. If not, the server makes an id of its own.
 *
 * @param given - the value of `X-Request-Id`, as a client sent it
 */
export function isRequestId(given: unknown): given is string {
  return typeof given === "string" && REQUEST_ID.test(given) && hideCredentials(given) === given;
}
