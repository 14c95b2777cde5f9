import { openai } from "@countersign/ai";
import { chatCompletionsApi } from "@countersign/testing";
import { joined, type SdkClient, type SdkSettings } from "../sdk-client.js";

interface Question {
  readonly model: string;
  readonly messages: { role: "user"; content: string }[];
}
interface Chat {
  readonly choices: readonly { readonly message: { readonly content: string | null } }[];
}
interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string | null } }[];
}
interface Call {
  readonly signal?: AbortSignal;
}
interface OpenAiClient {
  readonly chat: {
    readonly completions: {
      create(question: Question, call: Call): PromiseLike<Chat>;
      create(
        question: Question & { readonly stream: true },
        call: Call,
      ): PromiseLike<AsyncIterable<Chunk>>;
    };
  };
}
interface OpenAiOptions {
  apiKey: string;
  baseURL: string;
  fetch: SdkSettings["fetch"];
  maxRetries?: number;
  defaultHeaders?: Record<string, string>;
}

/** What this project uses of the package `openai`. */
export interface OpenAiSdk {
  readonly OpenAI: new (options: OpenAiOptions) => OpenAiClient;
  readonly AzureOpenAI: new (options: OpenAiOptions & { apiVersion: string }) => OpenAiClient;
}

const QUESTION: Question = { model: "any", messages: [{ role: "user", content: "Say hello." }] };

/** The clients of one version of `openai`. */
export function openAiClients(version: string, { OpenAI, AzureOpenAI }: OpenAiSdk): SdkClient[] {
  const client = (name: string, create: (settings: SdkSettings) => OpenAiClient): SdkClient => ({
    name: `${name} of openai ${version}`,
    api: chatCompletionsApi,
    repeatsAfter: [500, 429],
    refusedAs: "PermissionDeniedError",
    keepsAnswer: true,
    helped(signedBy, origin) {
      const { apiKey: key, fetch } = openai(signedBy, { baseURL: `${origin}/v1` });
      return { key, fetch };
    },
    async ask({ signal, ...settings }) {
      const { completions } = create(settings).chat;
      const { choices } = await completions.create(QUESTION, callOf(signal));
      return choices[0]?.message.content ?? "";
    },
    async stream({ signal, ...settings }) {
      const { completions } = create(settings).chat;
      const chunks = await completions.create({ ...QUESTION, stream: true }, callOf(signal));
      return await joined(contents(chunks));
    },
  });
  const common = ({ origin, key: apiKey, fetch, ...limits }: SdkSettings) => {
    return { apiKey, baseURL: `${origin}/v1`, fetch, ...limits };
  };
  return [
    client("OpenAI", (settings) => new OpenAI(common(settings))),
    client("AzureOpenAI", (settings) => {
      return new AzureOpenAI({ ...common(settings), apiVersion: "2024-10-21" });
    }),
    client("OpenAI with other key fields", (settings) => {
      const { key } = settings;
      const defaultHeaders = { "X-Goog-Api-Key": key, "X-Api-Key": key, "Api-Key": key };
      return new OpenAI({ ...common(settings), defaultHeaders });
    }),
  ];
}

function callOf(signal: AbortSignal | undefined): Call {
  return signal === undefined ? {} : { signal };
}

async function* contents(chunks: AsyncIterable<Chunk>) {
  for await (const { choices } of chunks) yield choices[0]?.delta.content;
}
