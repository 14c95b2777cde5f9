import { aiSdk } from "@countersign/ai";
import { chatCompletionsApi } from "@countersign/testing";
import { joined, type SdkClient, type SdkSettings } from "../sdk-client.js";

interface ProviderOptions {
  apiKey: string;
  baseURL: string;
  fetch: SdkSettings["fetch"];
}

/** What this project uses of the package `ai`, and what makes its models; `Model` is what the ones make and the other takes. */
export interface AiSdk<Model> {
  createOpenAI(options: ProviderOptions): { chat(id: string): Model };
  createOpenAICompatible(options: ProviderOptions & { name: string }): {
    chatModel(id: string): Model;
  };
  generateText(call: Call<Model>): PromiseLike<{ readonly text: string }>;
  streamText(call: Call<Model> & { onError(event: { error: unknown }): void }): {
    readonly textStream: AsyncIterable<string>;
  };
}

interface Call<Model> {
  model: Model;
  prompt: string;
  maxRetries?: number;
  abortSignal?: AbortSignal;
}

const COMMON: Pick<SdkClient, "api" | "keepsAnswer" | "refusedAs" | "helped"> = {
  api: chatCompletionsApi,
  refusedAs: "APICallError",
  keepsAnswer: false,
  helped(signedBy, origin) {
    const { apiKey: key, fetch } = aiSdk(signedBy, { baseURL: `${origin}/v1` });
    return { key, fetch };
  },
};

function providerOptions({ origin, key: apiKey, fetch }: SdkSettings): ProviderOptions {
  return { apiKey, baseURL: `${origin}/v1`, fetch };
}

/** The clients of one version of `ai`: one for each package that makes its models. */
export function aiClients<Model>(version: string, sdk: AiSdk<Model>): SdkClient[] {
  const client = (name: string, modelOf: (options: ProviderOptions) => Model): SdkClient => {
    const callOf = (settings: SdkSettings): Call<Model> => {
      const { maxRetries, signal: abortSignal } = settings;
      return {
        model: modelOf(providerOptions(settings)),
        prompt: "Say hello.",
        ...(maxRetries !== undefined && { maxRetries }),
        ...(abortSignal && { abortSignal }),
      };
    };
    return {
      name: `${name} of ai ${version}`,
      ...COMMON,
      repeatsAfter: [500, 429],
      async ask(settings) {
        return (await sdk.generateText(callOf(settings))).text;
      },
      async stream(settings) {
        const failures: unknown[] = [];
        const onError = ({ error }: { error: unknown }) => void failures.push(error);
        const text = await joined(sdk.streamText({ ...callOf(settings), onError }).textStream);
        // It ends a stream that failed, or that its caller ended, as if it were whole.
        if (failures.length > 0) throw failures[0];
        settings.signal?.throwIfAborted();
        return text;
      },
    };
  };
  return [
    client("createOpenAI", (options) => sdk.createOpenAI(options).chat("any")),
    client("createOpenAICompatible", (options) => {
      return sdk.createOpenAICompatible({ name: "api", ...options }).chatModel("any");
    }),
  ];
}

interface ModelCall {
  prompt: { role: "user"; content: { type: "text"; text: string }[] }[];
  abortSignal?: AbortSignal;
}
interface CalledModel {
  doGenerate(call: ModelCall): PromiseLike<{ readonly content: readonly object[] }>;
  doStream(call: ModelCall): PromiseLike<{ readonly stream: ReadableStream<object> }>;
}

/** What Mastra uses of the AI SDK: it takes a model and calls it by itself. */
export interface AiModels {
  createOpenAICompatible(options: ProviderOptions & { name: string }): {
    chatModel(id: string): CalledModel;
  };
}

/** The models of one version of the AI SDK, called as Mastra's agents call them. */
export function mastraModels(version: string, sdk: AiModels): SdkClient[] {
  const modelOf = (settings: SdkSettings): CalledModel =>
    sdk.createOpenAICompatible({ name: "api", ...providerOptions(settings) }).chatModel("any");
  const callOf = ({ signal: abortSignal }: SdkSettings): ModelCall => ({
    prompt: [{ role: "user", content: [{ type: "text", text: "Say hello." }] }],
    ...(abortSignal && { abortSignal }),
  });
  return [
    {
      name: `a model for Mastra of ai ${version}`,
      ...COMMON,
      repeatsAfter: undefined,
      async ask(settings) {
        const { content } = await modelOf(settings).doGenerate(callOf(settings));
        return content.map((part) => ("text" in part ? part.text : "")).join("");
      },
      async stream(settings) {
        const { stream } = await modelOf(settings).doStream(callOf(settings));
        return await joined(deltas(stream));
      },
    },
  ];
}

async function* deltas(parts: ReadableStream<object>): AsyncGenerator<string> {
  for await (const part of parts) {
    if ("error" in part) throw part.error;
    if ("delta" in part) yield String(part.delta);
  }
}
