import { isConnectionField } from "./field-names.js";
import { sectionOfLines } from "./raw-fields.js";

/**
 * Leaves out the lines of a header or trailer section whose name or value contains a secret.
 *
 * Lines that no proxy copies stay, since they say how the message is to be read: the fields of the connection and of a WebSocket handshake.
 * `Trailer` is not one of them: the names in it go on.
 *
 * @param isSecret - returns whether a text contains a secret
 * @returns `fields` itself if all lines stay
 */
export function withoutSecrets(fields: string[], isSecret: (text: string) => boolean): string[] {
  return sectionOfLines(
    fields,
    ({ name, rawName, value }) => isRebuilt(name) || !(isSecret(rawName) || isSecret(value)),
  );
}

function isRebuilt(name: string): boolean {
  return (isConnectionField(name) && name !== "trailer") || name.startsWith("sec-websocket-");
}
