/** What the stub says to everybody. */
export const ANSWER = "hello";

/** The pieces in which it says it. */
export const HALVES = ["hel", "lo"] as const;

const USAGE = {
  input_tokens: 1,
  input_tokens_details: null,
  output_tokens: 1,
  output_tokens_details: null,
  total_tokens: 2,
};

function message(text: string) {
  return {
    type: "message",
    role: "assistant",
    id: "msg_1",
    status: text === "" ? "in_progress" : "completed",
    content: text === "" ? [] : [{ type: "output_text", text, annotations: [] }],
  };
}

/** An answer of the Responses API that is not streamed. */
export const RESPONSE = {
  id: "resp_1",
  object: "response",
  status: "completed",
  output: [message(ANSWER)],
  usage: USAGE,
};

/** One event of a streamed response or message. */
export interface AnswerEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** The same as the events that it is streamed as, in server-sent events and in the frames of a WebSocket. */
export const RESPONSE_EVENTS: readonly AnswerEvent[] = [
  { type: "response.created", response: { id: "resp_1", object: "response", output: [] } },
  { type: "response.output_item.added", output_index: 0, item: message("") },
  ...HALVES.map((delta) => ({
    type: "response.output_text.delta",
    ...{ output_index: 0, content_index: 0, item_id: "msg_1", delta },
  })),
  { type: "response.output_item.done", output_index: 0, item: message(ANSWER) },
  { type: "response.completed", response: RESPONSE },
].map((event, sequence_number) => ({ ...event, sequence_number }));

/** The events of a response whose output is one item, such as a call of a function. */
export function responseEventsOf(item: object): readonly AnswerEvent[] {
  const [created, ...others] = RESPONSE_EVENTS;
  const completed = others.at(-1);
  const done = { type: "response.output_item.done", output_index: 0, item };
  return [created, done, completed].filter((event) => event !== undefined);
}

/** An answer of the Chat Completions API that is not streamed. */
export const COMPLETION = {
  id: "chatcmpl_1",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: ANSWER }, finish_reason: "stop" }],
};

/** The same as the chunks that it is streamed as. */
export const COMPLETION_CHUNKS: readonly object[] = [
  ...HALVES.map((content) => ({ delta: { role: "assistant", content }, finish_reason: null })),
  { delta: {}, finish_reason: "stop" },
].map((choice) => ({
  id: "chatcmpl_1",
  object: "chat.completion.chunk",
  choices: [{ index: 0, ...choice }],
}));

const MESSAGE = { id: "msg_1", type: "message", role: "assistant", model: "any" };
const MESSAGE_USAGE = { input_tokens: 1, output_tokens: 1 };
const MESSAGE_END = { stop_reason: "end_turn", stop_sequence: null };

/** An answer of the Messages API that is not streamed. */
export const MESSAGE_ANSWER = {
  ...{ ...MESSAGE, ...MESSAGE_END, usage: MESSAGE_USAGE },
  content: [{ type: "text", text: ANSWER }],
};

/** The same as the events that it is streamed as. */
export const MESSAGE_EVENTS: readonly AnswerEvent[] = [
  {
    type: "message_start",
    message: { ...MESSAGE, usage: MESSAGE_USAGE, content: [], stop_reason: null },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  ...HALVES.map((text) => ({
    ...{ type: "content_block_delta", index: 0 },
    delta: { type: "text_delta", text },
  })),
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: MESSAGE_END, usage: MESSAGE_USAGE },
  { type: "message_stop" },
];
