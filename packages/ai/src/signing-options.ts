import { AgentAssertionError } from "@countersign/agent-assertion";
import {
  type AssertedFetch,
  type WithAssertionOptions,
  withAssertion,
} from "@countersign/agent-assertion/fetch";
import {
  type CredentialSource,
  type OptionShape,
  optionChecks,
  parseOrigin,
} from "@countersign/agent-key";

const { checkOption, checkOptions } = optionChecks(AgentAssertionError);

/**
 * What signs the requests of an SDK: the source of credentials of one thread (`AgentThread`), the source that follows the current thread
 * (`tasks.currentThread()`), or what `connectAgent` gives: a thread, or the agent itself for the current thread.
 */
export type SignedBy = CredentialSource | { readonly credentials: CredentialSource };

/** Options of every helper: those of `withAssertion`, but `origins`, which is the origin of the API. */
export interface SigningOptions
  extends Omit<WithAssertionOptions, "origins" | "ownAuthorization" | "refusals"> {}

/** Options of the helpers for APIs of models. */
export interface ModelApiOptions extends SigningOptions {
  /** Base URL of the API, as the SDK takes it. Requests to its origin are signed. `https`, or `http` to a loopback host. */
  readonly baseURL: string;
  /**
   * A key of the API, which is sent while the feature `use_agent_identity` is off, and never beside an assertion. Default: a placeholder,
   * because SDKs want one.
   */
  readonly apiKey?: string | undefined;
}

/** What SDKs are given as their key if there is none. */
export const PLACEHOLDER = "signed-by-agent";

const BASE_URL = {
  type: "text",
  expected: 'a URL, for instance "https://api.example/v1"',
} as const;
const FLAG: OptionShape = { type: "boolean", expected: "true or false", optional: true };
const SIGNING_OPTIONS: Readonly<Record<keyof SigningOptions, OptionShape>> = {
  binding: FLAG,
  elsewhere: { type: "choice", choices: ["pass", "refuse"], optional: true },
  insecureHttp: FLAG,
  keepFields: { type: "list", expected: "a list of names of fields", optional: true },
  onWarning: { type: "function", expected: "a function", optional: true },
  signer: { type: "object", expected: "an AssertionSigner", optional: true },
};

/** The URL of an API. */
export interface SignedUrl {
  /** The option that it was given as. */
  readonly name: string;
  readonly url: unknown;
  /** Whether the SDK sends a key that was given here: that it is replaced is no news. */
  readonly hasPlaceholder: boolean;
}

/**
 * Makes the `fetch` of an SDK.
 */
export function signingFetch(
  signedBy: SignedBy,
  { name, url, hasPlaceholder }: SignedUrl,
  options: SigningOptions,
  refusals: WithAssertionOptions["refusals"],
): AssertedFetch {
  checkOptions(options, SIGNING_OPTIONS, "refuse");
  checkOption(name, url, BASE_URL);
  const origin = parseOrigin(String(url), options, name);
  const { onWarning = emitWarning } = options;
  return withAssertion(fetch, sourceOf(signedBy), {
    ...options,
    origins: [origin],
    refusals,
    onWarning(message, code) {
      if (!hasPlaceholder || code !== "COUNTERSIGN_OWN_AUTHORIZATION") onWarning(message, code);
    },
  });
}

const API_KEY: OptionShape = { type: "text", expected: "a key of the API", optional: true };

/** Checks that there are options, and those of {@link ModelApiOptions} alone. */
export function checkedOptions(options: ModelApiOptions): ModelApiOptions {
  checkOptions(options, { baseURL: BASE_URL, apiKey: API_KEY });
  return options;
}

function sourceOf(signedBy: SignedBy): CredentialSource {
  const isHolder = typeof signedBy === "object" && signedBy !== null && "credentials" in signedBy;
  return isHolder ? signedBy.credentials : signedBy;
}

function emitWarning(message: string, code: string): void {
  process.emitWarning(message, { code });
}
