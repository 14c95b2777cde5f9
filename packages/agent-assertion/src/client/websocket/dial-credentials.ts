import { CREDENTIAL_FIELDS } from "../own-credentials.js";
import type { DialHeaders } from "./dial-options.js";

/** The credential fields of a dial, in lower case: a user name in the URL becomes an `Authorization` too. */
export function ownFieldsOf(url: URL, own: Readonly<DialHeaders>): readonly string[] {
  const names = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  if (url.username !== "" || url.password !== "") names.add("authorization");
  return CREDENTIAL_FIELDS.filter((name) => names.has(name));
}
