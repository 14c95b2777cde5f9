import {
  AuthorityClient,
  type AuthorityClientOptions,
} from "@countersign/agent-identity/authority-client";
import { ADMIN_OPERATIONS } from "../operations/admin-operations.js";
import type { Registry } from "../operations/registry-types.js";
import { toRegistry } from "../operations/to-registry.js";
import { checkOptions } from "../option-checks.js";
import { createRemoteFunctions } from "./remote-functions.js";

/** Entries of one answer: what a client reads of one answer, 1 MiB, holds as many of the largest. */
const PAGE = 200;

/** Options of {@link remoteRegistry}. */
export interface RemoteRegistryOptions
  extends Omit<AuthorityClientOptions, "authority" | "attempts"> {
  /** Base URL of the authority's admin listener: https, or http on this machine's loopback. */
  readonly url: string;
  /** Upper bound of the attempts of a question. Default 3. */
  readonly attempts?: number | undefined;
  /** An access token of role `operate`; or of `read`, `audit` or `stop` for what these may do. Secret. */
  readonly token: string;
}

/**
 * Gives an operator the registry of an authority through its admin API. Loads neither a database nor a server.
 *
 * Lists are read page by page: a change between two pages may or may not be in the list. Changes are sent once, queries up to three times.
 *
 * @throws {AgentKeyError} `config_invalid` if `url` is not a base URL, or is plain http to another machine
 * @throws {AgentAuthorityError} `config_invalid`, naming the option, if `url` or `token` is missing
 * @returns its methods reject with `AuthorityError` of `@countersign/agent-identity/authority-client`: `unauthenticated` for a token that does
 *   not hold, `forbidden` for one whose role or scope is not enough, else as the authority refuses or cannot be reached; with
 *   {@link AgentAuthorityError} `bad_response` for an answer of another form
 */
export function remoteRegistry(registryOptions: RemoteRegistryOptions): Registry {
  checkOptions(registryOptions, {
    url: { type: "text", expected: "the base URL of an authority's admin listener" },
    token: { type: "text", expected: "an access token, a text that is not empty" },
  });
  const { url, token, attempts = 3, ...options } = registryOptions;
  const client = new AuthorityClient({ ...options, attempts, authority: url });
  return toRegistry(createRemoteFunctions({ client, token }, ADMIN_OPERATIONS), PAGE);
}
