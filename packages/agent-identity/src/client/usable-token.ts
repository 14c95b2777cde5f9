import { AuthorityError } from "../authority-error.js";

const TOKEN = /^[\x21-\x7e]+$/;

/** The access token, if a header can carry it. @throws {AuthorityError} `unauthenticated` */
export function usableToken(accessToken: string): string {
  // A copy of an auth by spread has no token at all.
  if (typeof accessToken === "string" && TOKEN.test(accessToken)) return accessToken;
  throw new AuthorityError(
    "unauthenticated",
    "the access token is missing, empty or has characters that no header can carry",
    { hint: "log in again, with the token alone" },
  );
}
