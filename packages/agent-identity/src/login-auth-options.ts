import type { HttpUrlOptions } from "@countersign/agent-key";
import type { Fetch } from "@countersign/agent-key/platform-fetch";
import type { KeySet } from "./identity-jwt/key-set.js";

/** Options of `loginAuth`. All but `insecureHttp` are for logins by identity JWT. */
export interface LoginAuthOptions extends HttpUrlOptions {
  /** The keys that are trusted to sign identity JWTs. Default: the key set at the login's `key_set_url`, else at `keySetUrl(authority)`. */
  readonly keySet?: KeySet | undefined;
  /** What asks for the default key set. Default: as `AuthorityClient`. */
  readonly fetch?: Fetch | undefined;
  /** Clock, epoch ms. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
  /** How long after its `exp` an identity JWT is still taken. Seconds, from 0 to 300. Default 60. */
  readonly clockToleranceSeconds?: number | undefined;
}
