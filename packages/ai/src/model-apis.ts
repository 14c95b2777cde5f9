import type { AssertedFetch } from "@countersign/agent-assertion/fetch";
import {
  checkedOptions,
  type ModelApiOptions,
  PLACEHOLDER,
  type SignedBy,
  signingFetch,
} from "./signing-options.js";

/** Options of a client of a model API. */
export interface ModelApi {
  readonly apiKey: string;
  readonly baseURL: string;
  readonly fetch: AssertedFetch;
}

/**
 * Options for `new OpenAI(…)` of the package `openai`, and so for OpenAI's Agents SDK (`OpenAIProvider`, `setDefaultOpenAIClient`).
 *
 * A refusal that no repetition changes, for instance of a revoked agent, is a `PermissionDeniedError` with the reason in its message, at once.
 *
 * @throws {AgentKeyError | AgentAssertionError} `config_invalid`, naming the option, if one is missing, wrong or unknown; if `baseURL` is plain
 * http to another machine
 */
export function openai(signedBy: SignedBy, options: ModelApiOptions): ModelApi {
  return modelApi(signedBy, options, "respond");
}

/**
 * Options for `createOpenAI(…)`, `createOpenAICompatible(…)` and `createAnthropic(…)` of the AI SDK, and so for Mastra, which takes its models.
 *
 * A call rejects with the refusal itself, at once.
 *
 * @throws as {@link openai}
 */
export function aiSdk(signedBy: SignedBy, options: ModelApiOptions): ModelApi {
  return modelApi(signedBy, options, "reject");
}

/**
 * Options for `new Anthropic(…)` of `@anthropic-ai/sdk`. Refusals as with {@link openai}.
 *
 * @throws as {@link openai}
 */
export function anthropic(
  signedBy: SignedBy,
  options: ModelApiOptions,
): ModelApi & { readonly authToken: null } {
  return { ...modelApi(signedBy, options, "respond"), authToken: null };
}

/**
 * Options for `new ChatOpenAI(…)` of `@langchain/openai`, beside `model`. Refusals as with {@link openai}.
 *
 * @throws as {@link openai}
 */
export function langchain(
  signedBy: SignedBy,
  options: ModelApiOptions,
): { readonly apiKey: string; readonly configuration: Omit<ModelApi, "apiKey"> } {
  const { apiKey, ...configuration } = modelApi(signedBy, options, "respond");
  return { apiKey, configuration };
}

function modelApi(
  signedBy: SignedBy,
  options: ModelApiOptions,
  refusals: "respond" | "reject",
): ModelApi {
  const { baseURL, apiKey = PLACEHOLDER, ...others } = checkedOptions(options);
  const fetch = signingFetch(
    signedBy,
    { name: "baseURL", url: baseURL, hasPlaceholder: true },
    others,
    refusals,
  );
  return { apiKey, baseURL, fetch };
}
