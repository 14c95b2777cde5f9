import { isConnectionField } from "./field-names.js";
import { fieldLines, type RawFields } from "./raw-fields.js";

/**
 * Copies the lines of a header or trailer section, but for those whose name or value contains a secret.
 *
 * Lines that no proxy copies stay, since they say how the message is to be read: the fields of the connection and of a WebSocket handshake.
 * `Trailer` is not one of them: the names in it go on.
 *
 * @param isSecret - tells whether a text contains one
 */
export function withoutSecrets(fields: RawFields, isSecret: (text: string) => boolean): string[] {
  const kept: string[] = [];
  for (const { name, rawName, value } of fieldLines(fields)) {
    if (isRebuilt(name) || !(isSecret(rawName) || isSecret(value))) kept.push(rawName, value);
  }
  return kept;
}

function isRebuilt(name: string): boolean {
  return (isConnectionField(name) && name !== "trailer") || name.startsWith("sec-websocket-");
}
