import type { UpstreamAnswer, UpstreamHandler } from "./test-upstream.js";

const PARTS = ["Hello ", "there."];

/** What the model of a test says, whole or in parts. */
export const MODEL_ANSWER = PARTS.join("");

const USAGE = { input_tokens: 1, output_tokens: 1 };

/** Answers chat completions, whole or as a stream. */
export const chatCompletionsApi: UpstreamHandler = ({ body }) => {
  const common = { id: "chat-1", created: 1, model: "any" };
  if (!isStreaming(body)) return wholeChat({ content: MODEL_ANSWER }, "stop");
  const chunk = (delta: object, finish_reason: string | null) => ({
    ...{ ...common, object: "chat.completion.chunk" },
    choices: [{ index: 0, delta, finish_reason }],
  });
  const deltas = PARTS.map((content) => chunk({ role: "assistant", content }, null));
  return events([...deltas, chunk({}, "stop")], ["[DONE]"]);
};

/** Answers chat completions with a call of the first tool, for the city Paris, and then with what that tool said. */
export const toolCallingApi: UpstreamHandler = ({ body }) => {
  const { messages, tools } = JSON.parse(body);
  const said = messages.findLast(({ role }: { readonly role: string }) => role === "tool");
  if (said !== undefined) return wholeChat({ content: `It is ${textOf(said.content)}.` }, "stop");
  const call = { name: tools[0].function.name, arguments: '{"city":"Paris"}' };
  const tool_calls = [{ id: "call-1", type: "function", function: call }];
  return wholeChat({ content: null, tool_calls }, "tool_calls");
};

function wholeChat(message: object, finish_reason: string): UpstreamAnswer {
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  const choices = [{ index: 0, message: { role: "assistant", ...message }, finish_reason }];
  const common = { id: "chat-1", created: 1, model: "any", object: "chat.completion" };
  return { body: { ...common, choices, usage } };
}

function textOf(content: string | readonly { readonly text: string }[]): string {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("");
}

/** Answers responses, whole or as a stream. */
export const responsesApi: UpstreamHandler = ({ body }) => {
  const part = { type: "output_text", text: MODEL_ANSWER, annotations: [] };
  const message = { id: "msg-1", type: "message", role: "assistant", status: "completed" };
  const item = { ...message, content: [part] };
  const common = { id: "resp-1", object: "response", created_at: 1, model: "any" };
  const usage = { ...USAGE, total_tokens: 2 };
  const whole = { ...common, status: "completed", output: [item], usage };
  if (!isStreaming(body)) return { body: whole };
  const at = { item_id: "msg-1", output_index: 0, content_index: 0 };
  return events([
    { type: "response.created", response: { ...common, status: "in_progress", output: [] } },
    ...PARTS.map((delta) => ({ type: "response.output_text.delta", ...at, delta })),
    { type: "response.output_item.done", output_index: 0, item },
    { type: "response.completed", response: whole },
  ]);
};

/** Answers messages, whole or as a stream. */
export const messagesApi: UpstreamHandler = ({ body }) => {
  const message = { id: "msg-1", type: "message", role: "assistant", model: "any", usage: USAGE };
  const end = { stop_reason: "end_turn", stop_sequence: null };
  if (!isStreaming(body)) {
    return { body: { ...message, ...end, content: [{ type: "text", text: MODEL_ANSWER }] } };
  }
  const start = { ...message, content: [], stop_reason: null, stop_sequence: null };
  return events([
    { type: "message_start", message: start },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...PARTS.map((text) => ({
      ...{ type: "content_block_delta", index: 0 },
      delta: { type: "text_delta", text },
    })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: end, usage: USAGE },
    { type: "message_stop" },
  ]);
};

function isStreaming(body: string): boolean {
  return /"stream": ?true/.test(body);
}

function events(
  values: readonly Readonly<Record<string, unknown>>[],
  last: readonly string[] = [],
): UpstreamAnswer {
  const event = (value: Readonly<Record<string, unknown>>) => {
    const data = JSON.stringify(value);
    // Messages have a name as well. It may stand behind the data.
    return typeof value.type === "string" ? `${data}\nevent: ${value.type}` : data;
  };
  return { kind: "events", events: [...values.map(event), ...last] };
}
