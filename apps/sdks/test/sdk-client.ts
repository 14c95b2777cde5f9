import type { AssertedFetch } from "@countersign/agent-assertion/fetch";
import type { SignedBy } from "@countersign/ai";
import { MODEL_ANSWER, type UpstreamHandler } from "@countersign/testing";

/** What the API of a test says, whole or in parts. */
export const ANSWER = MODEL_ANSWER;

/** What an SDK is set up with. */
export interface SdkSettings {
  /** Origin of the API. */
  readonly origin: string;
  /** The key or token that the SDK is given. */
  readonly key: string;
  readonly fetch: AssertedFetch;
  /** How often the SDK may repeat a request. Default: its own. */
  readonly maxRetries?: number;
  /** Ends the call. */
  readonly signal?: AbortSignal;
}

/** One way to set up one SDK. */
export interface SdkClient {
  readonly name: string;
  /** Answers as the API of this SDK. */
  readonly api: UpstreamHandler;
  /** Two statuses after which the SDK sends a request again by itself; none if it never does. */
  readonly repeatsAfter: readonly [number, number] | undefined;
  /** The class of the error that the SDK makes of an answer with status 403. */
  readonly refusedAs: string;
  /** Whether that error keeps the answer's own headers, and an error of `fetch` becomes a failed connection that is tried again. */
  readonly keepsAnswer: boolean;
  /** A call whose stream breaks off goes on waiting, until its own time-out. */
  readonly missesBrokenStream?: boolean;
  /** What the helper of `@countersign/ai` for this SDK gives it, for an API at this origin. */
  helped(signedBy: SignedBy, origin: string): Pick<SdkSettings, "key" | "fetch">;
  /** Makes one call. Returns the text of the answer. */
  ask(settings: SdkSettings): Promise<string>;
  /** Makes one call whose answer is streamed. Returns the text of all parts. */
  stream(settings: SdkSettings): Promise<string>;
}

/** Joins the parts of a streamed answer. */
export async function joined(parts: AsyncIterable<string | null | undefined>): Promise<string> {
  let text = "";
  for await (const part of parts) text += part ?? "";
  return text;
}
