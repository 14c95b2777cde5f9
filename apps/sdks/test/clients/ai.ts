import { aiSdk } from "@countersign/ai";
import { chatCompletionsApi } from "../model-api.js";
import { joined, type SdkClient, type SdkSettings } from "../sdk-client.js";

/** What this project uses of the packages `ai` and `@ai-sdk/openai`; `Model` is what the one makes and the other takes. */
export interface AiSdk<Model> {
  createOpenAI(options: { apiKey: string; baseURL: string; fetch: SdkSettings["fetch"] }): {
    chat(id: string): Model;
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

/** The client of one version of `ai`. */
export function aiClients<Model>(version: string, sdk: AiSdk<Model>): SdkClient[] {
  const callOf = ({
    origin,
    key: apiKey,
    fetch,
    signal: abortSignal,
    ...limits
  }: SdkSettings): Call<Model> => {
    const provider = sdk.createOpenAI({ apiKey, baseURL: `${origin}/v1`, fetch });
    return {
      model: provider.chat("any"),
      prompt: "Say hello.",
      ...limits,
      ...(abortSignal && { abortSignal }),
    };
  };
  return [
    {
      name: `createOpenAI of ai ${version}`,
      api: chatCompletionsApi,
      repeatsAfter: [500, 429],
      refusedAs: "APICallError",
      keepsAnswer: false,
      helped(signedBy, origin) {
        const { apiKey: key, fetch } = aiSdk(signedBy, { baseURL: `${origin}/v1` });
        return { key, fetch };
      },
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
    },
  ];
}
