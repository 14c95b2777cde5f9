import {
  type HttpUrlOptions,
  hideMembers,
  type OptionShape,
  parseAuthority,
  StoreError,
} from "@countersign/agent-key";
import * as v from "valibot";
import { AgentIdentityError } from "./agent-identity-error.js";
import type { AuthSource, HumanAuth } from "./auth.js";
import type { CredentialStore, Credentials } from "./credential-store.js";
import { LoginIdentityJwt } from "./identity-jwt/login-identity-jwt.js";
import {
  AUTHORITY_URL,
  CLOCK_TOLERANCE,
  CREDENTIAL_STORE,
  checkOption,
  checkOptions,
  KEY_SET,
  TRANSPORT_OPTIONS,
} from "./internal/options.js";
import type { LoginAuthOptions } from "./login-auth-options.js";
import { askOf } from "./login-reader.js";
import {
  type StoredHumanLogin,
  type StoredLogin,
  storedLoginSchema,
} from "./schema/credentials.js";
import { describeIssues } from "./schema/describe-issues.js";

const SHAPES: Readonly<Record<string, OptionShape>> = {
  ...TRANSPORT_OPTIONS,
  keySet: { ...KEY_SET, optional: true },
  clockToleranceSeconds: CLOCK_TOLERANCE,
};

/**
 * The login that a store holds, as an auth source. A human's token and an agent's key belong to one authority and are used with no other: a
 * login with another authority is `undefined` here.
 *
 * The store is asked at every call, so a login or logout by another process is seen at once. A manager over the same store asks it once for the
 * login and its agent together. An identity JWT is verified at first use, once for each login, with one fetch of the key set; `peek`
 * verifies it against the keys that were stored at the login.
 *
 * @param authority - base URL of the authority that asks
 * @throws {AgentKeyError} `config_invalid`, naming the argument or the option, if one is missing or wrong
 */
export function loginAuth(
  store: CredentialStore,
  authority: string,
  options: LoginAuthOptions = {},
): AuthSource {
  checkOption("store", store, CREDENTIAL_STORE);
  checkOption("authority", authority, AUTHORITY_URL);
  checkOptions(options, SHAPES);
  const expected = parseAuthority(authority, options, "authority");
  const identityJwt = new LoginIdentityJwt(options);
  const authOf = (how: "current" | "peek", credentials: Credentials) => {
    const login = readableLogin(credentials, store);
    if (login === null || login.authority !== expected) return undefined;
    if (login.kind === "human") return humanOf(login);
    return identityJwt[how](login);
  };
  return {
    current: askOf({ store, authOf: (credentials) => authOf("current", credentials) }),
    peek: askOf({ store, authOf: (credentials) => authOf("peek", credentials) }),
  };
}

// A login that a store gives again is the same auth again.
const humans = new WeakMap<StoredLogin, HumanAuth>();

function humanOf(login: StoredHumanLogin): HumanAuth {
  const known = humans.get(login);
  if (known !== undefined) return known;
  const human: HumanAuth = {
    kind: "human",
    accountId: login.account_id,
    userId: login.user_id,
    accessToken: login.access_token,
    proof: login.proof,
    ephemeralSeconds: login.ephemeral_seconds,
  };
  const hidden = Object.freeze(hideMembers(human, "accessToken"));
  if (Object.isFrozen(login)) humans.set(login, hidden);
  return hidden;
}

function readableLogin(
  { login, unreadable = [] }: Credentials,
  store: CredentialStore,
): StoredLogin | null {
  const broken = unreadable.find(({ member }) => member === "login");
  if (broken === undefined) return login;
  throw new StoreError(
    "store_corrupt",
    `the login in ${store.description} cannot be read: ${broken.problem}`,
    { hint: "restore it from a backup, or log in again with the token that you were given" },
  );
}

/**
 * Stores a login in place of the one there, readable or not. Identities stay.
 *
 * @throws {AgentIdentityError} `invalid_request` when it is no login, for instance because an account or user id has a space
 * @throws {AgentKeyError} `config_invalid` when its authority is no base URL
 * @throws {StoreError} as the store
 */
export async function saveLogin(
  store: CredentialStore,
  login: StoredLogin,
  options: HttpUrlOptions = {},
): Promise<void> {
  const parsed = v.safeParse(storedLoginSchema, login);
  if (!parsed.success) {
    throw new AgentIdentityError("invalid_request", `not a login: ${describeIssues(parsed)}`);
  }
  const normalised = { ...parsed.output, authority: parseAuthority(login.authority, options) };
  await store.update((current) => ({
    ...current,
    login: normalised,
    unreadable: current.unreadable?.filter(({ member }) => member !== "login"),
  }));
}

/**
 * Removes the login, readable or not. Identities stay, so that logging in again registers nothing.
 *
 * @returns whether there was one
 */
export async function removeLogin(store: CredentialStore): Promise<boolean> {
  let found = false;
  await store.update((current) => {
    const unreadable = current.unreadable?.filter(({ member }) => member !== "login") ?? [];
    found = current.login !== null || unreadable.length < (current.unreadable?.length ?? 0);
    return found ? { ...current, login: null, unreadable } : undefined;
  });
  return found;
}
