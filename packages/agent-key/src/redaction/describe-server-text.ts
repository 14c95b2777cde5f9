import { escapeText } from "../escape-text.js";
import { hideCredentials } from "./hide-credentials.js";

const MAX_CHARACTERS = 512;

/**
 * Makes text from a server fit to be shown: credentials hidden, what steers a terminal escaped, cut at 512 characters.
 *
 * @param secrets - texts that must not appear, for instance the token that was sent
 */
export function describeServerText(text: string, secrets: readonly string[] = []): string {
  // Hidden before the cut, so that no secret is left in half. What lies far behind the cut need not be looked at.
  let shown = text.slice(0, 64 * 1024);
  for (const secret of secrets) {
    if (secret.length >= 4) shown = shown.replaceAll(secret, "[hidden]");
  }
  shown = escapeText(
    hideCredentials(shown)
      .trim()
      .replace(/[\n\t\r]/g, " "),
  );
  const characters = [...shown.slice(0, 4 * MAX_CHARACTERS)];
  return characters.length <= MAX_CHARACTERS
    ? characters.join("")
    : `${characters.slice(0, MAX_CHARACTERS - 1).join("")}…`;
}
