import { AuthorityError } from "../authority-error.js";

const TOKEN = /^[\x21-\x7e]+$/;

/** The access token, if a header can carry it. @throws {AuthorityError} `unauthenticated` */
export function usableToken(accessToken: string): string {
  if (TOKEN.test(accessToken)) return accessToken;
  throw new AuthorityError(
    "unauthenticated",
    "the access token is empty or has characters that no header can carry",
    { hint: "log in again, with the token alone" },
  );
}
