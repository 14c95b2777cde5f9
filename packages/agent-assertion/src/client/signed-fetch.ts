import type { CredentialSource } from "@countersign/agent-key";
import { type AssertedFetch, assertedFetch } from "./asserted-fetch.js";
import type { AssertionOptions } from "./assertion-options.js";
import { createAuthorizer } from "./authorizer.js";
import { checkFunction } from "./check-transport.js";

/**
 * Makes a `fetch` that signs as `withAssertion` does, for a program that neither binds requests nor answers refusals: a bundle of it holds less.
 *
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid` as `withAssertion`, and if `binding` is wanted
 */
export function signedFetch(
  fetch: typeof globalThis.fetch,
  source: CredentialSource,
  options: Omit<AssertionOptions, "binding">,
): AssertedFetch {
  checkFunction("fetch", fetch, "give the arguments in the order fetch, source, options");
  return assertedFetch(fetch, createAuthorizer(source, options, undefined));
}
