import { anthropic } from "@countersign/ai";
import { messagesApi } from "@countersign/testing";
import { joined, type SdkClient, type SdkSettings } from "../sdk-client.js";

interface Question {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: { role: "user"; content: string }[];
}
interface Answer {
  readonly content: readonly (
    | { readonly type: "text"; readonly text: string }
    | { type: string }
  )[];
}
interface Event {
  readonly type: string;
  readonly delta?: object;
}
interface Call {
  readonly signal?: AbortSignal;
}
interface AnthropicClient {
  readonly messages: {
    create(question: Question, call: Call): PromiseLike<Answer>;
    create(
      question: Question & { readonly stream: true },
      call: Call,
    ): PromiseLike<AsyncIterable<Event>>;
  };
}
interface AnthropicOptions {
  apiKey: string | null;
  authToken?: string | null;
  baseURL: string;
  fetch: SdkSettings["fetch"];
  maxRetries?: number;
}

/** What this project uses of the package `@anthropic-ai/sdk`. */
export interface AnthropicSdk {
  readonly Anthropic: new (options: AnthropicOptions) => AnthropicClient;
}

const QUESTION: Question = {
  model: "any",
  max_tokens: 10,
  messages: [{ role: "user", content: "Say hello." }],
};

/** The clients of one version of `@anthropic-ai/sdk`. */
export function anthropicClients(version: string, { Anthropic }: AnthropicSdk): SdkClient[] {
  const client = (
    name: string,
    keys: (key: string) => Pick<AnthropicOptions, "apiKey" | "authToken">,
  ): SdkClient => {
    const create = ({ origin: baseURL, key, ...others }: SdkSettings) =>
      new Anthropic({ ...keys(key), baseURL, ...others }).messages;
    return {
      name: `Anthropic with ${name} of @anthropic-ai/sdk ${version}`,
      api: messagesApi,
      repeatsAfter: [500, 429],
      refusedAs: "PermissionDeniedError",
      keepsAnswer: true,
      helped(signedBy, origin) {
        const { apiKey: key, fetch } = anthropic(signedBy, { baseURL: origin });
        return { key, fetch };
      },
      async ask({ signal, ...settings }) {
        const [part] = (await create(settings).create(QUESTION, callOf(signal))).content;
        return textOf(part);
      },
      async stream({ signal, ...settings }) {
        const messages = create(settings);
        const events = await messages.create({ ...QUESTION, stream: true }, callOf(signal));
        return await joined(texts(events));
      },
    };
  };
  return [
    client("apiKey", (apiKey) => ({ apiKey, authToken: null })),
    client("authToken", (authToken) => ({ apiKey: null, authToken })),
  ];
}

function callOf(signal: AbortSignal | undefined): Call {
  return signal === undefined ? {} : { signal };
}

async function* texts(events: AsyncIterable<Event>) {
  for await (const { delta } of events) yield textOf(delta);
}

function textOf(part: object | undefined): string {
  return part !== undefined && "text" in part && typeof part.text === "string" ? part.text : "";
}
