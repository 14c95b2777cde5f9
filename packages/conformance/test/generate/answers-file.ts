const SENT_AT = Date.UTC(2026, 3, 15, 17, 8, 9, 0);

interface ClockSetting {
  /** By how many seconds the authority's clock, which `Date` shows, is ahead of the client's. */
  readonly ahead: number;
  readonly code: "expired" | "not_yet_valid";
  readonly used?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** How many milliseconds after the answer the refusal is dealt with. */
  readonly after?: number;
  /** How many milliseconds the exchange took. */
  readonly took?: number;
}

function clock(name: string, offset: number | null, setting: ClockSetting) {
  const { ahead, code, used = 0, headers = {}, after = 0, took = 1000 } = setting;
  // If the exchange takes a second, as most do: Date is rounded down to whole ones: its middle plus `ahead` less half a second.
  const date = new Date(SENT_AT + ahead * 1000).toUTCString();
  return {
    name,
    sent_at_ms: SENT_AT,
    received_at_ms: SENT_AT + took,
    now_ms: SENT_AT + took + after,
    headers: { date, ...headers },
    code,
    used_offset_seconds: used,
    offset_seconds: offset,
  };
}

const JSON_TYPE = "application/json";
const REFUSED = "bad_response";
const WHOAMI = JSON.stringify({ account_id: "acct-1", user_id: "user-1" });
const exchange = (
  name: string,
  status: number,
  content_type: string | null,
  code: string | null,
  body = WHOAMI,
) => ({ name, status, content_type, body, code });
const header = (name: string, biscuit: string | null, headers: object) => ({
  name,
  headers,
  biscuit,
});

/** Answers of an authority as a client reads them. */
export const answersFile = {
  form: "countersign.answers/1",
  description:
    "Answers of an authority. human: GET {base}/v1/whoami; revocations: POST {base}/v1/agent/{id}/revoke; biscuits: the fields of GET {base}/authenticate_app_v2. What is null is refused with bad_response. requested, where it is there, is what the client asked for. clocks: a signature made with used_offset_seconds was refused with code; offset_seconds is what the client corrects its clock by, and null says that it hands the refusal up. Each is a client of its own, whose one exchange with the authority is the one shown.",
  human: [
    {
      name: "account and user",
      body: { account_id: "acct-1", user_id: "user-1" },
      account_id: "acct-1",
      user_id: "user-1",
    },
    {
      name: "a member that is not known",
      body: { account_id: "a", user_id: "u", x: 1 },
      account_id: "a",
      user_id: "u",
    },
    { name: "no user", body: { account_id: "acct-1" }, account_id: null, user_id: null },
    {
      name: "an account id with a comma",
      body: { account_id: "a,b", user_id: "u" },
      account_id: null,
      user_id: null,
    },
    { name: "not an object", body: "acct-1", account_id: null, user_id: null },
  ],
  revocations: [
    {
      name: "revoked",
      body: { agent_runtime_id: "agent-1", agent_state: "revoked" },
      agent_runtime_id: "agent-1",
    },
    {
      name: "the agent that was asked for",
      body: { agent_runtime_id: "agent-1", agent_state: "revoked" },
      requested: { agent_runtime_id: "agent-1" },
      agent_runtime_id: "agent-1",
    },
    {
      name: "another agent",
      body: { agent_runtime_id: "agent-2", agent_state: "revoked" },
      requested: { agent_runtime_id: "agent-1" },
      agent_runtime_id: null,
    },
    {
      name: "still active",
      body: { agent_runtime_id: "agent-1", agent_state: "active" },
      agent_runtime_id: null,
    },
    { name: "no state", body: { agent_runtime_id: "agent-1" }, agent_runtime_id: null },
    {
      name: "an id that is not one",
      body: { agent_runtime_id: "..", agent_state: "revoked" },
      agent_runtime_id: null,
    },
  ],
  biscuits: [
    header("one", "biscuit-1", { "x-openai-authorization": "biscuit-1" }),
    header("of 8192 characters", "b".repeat(8192), { "x-openai-authorization": "b".repeat(8192) }),
    header("none", null, {}),
    header("empty", null, { "x-openai-authorization": "" }),
    header("two", null, { "x-openai-authorization": ["a", "b"] }),
    header("with a space", null, { "x-openai-authorization": "a b" }),
    header("beyond ASCII", null, { "x-openai-authorization": "\u00e9" }),
    header("of 8193 characters", null, { "x-openai-authorization": "b".repeat(8193) }),
  ],
  exchanges: [
    exchange("JSON", 200, JSON_TYPE, null),
    exchange("JSON with a charset", 200, `${JSON_TYPE}; charset=utf-8`, null),
    exchange("the media type in capitals", 200, JSON_TYPE.toUpperCase(), null),
    exchange("a media type that ends in +json", 200, "application/vnd.example+json", null),
    exchange("status 201", 201, JSON_TYPE, null),
    exchange("status 299", 299, JSON_TYPE, null),
    exchange("a redirect", 302, JSON_TYPE, REFUSED),
    exchange("a permanent redirect", 308, JSON_TYPE, REFUSED),
    exchange("no media type", 200, null, REFUSED),
    exchange("HTML", 200, "text/html", REFUSED),
    exchange("a plain text", 200, "text/plain", REFUSED),
    exchange("a media type that begins like JSON's", 200, "application/json5", REFUSED),
    exchange("a media type that ends in json without +", 200, "application/xjson", REFUSED),
    exchange("not JSON", 200, JSON_TYPE, REFUSED, "{"),
    exchange("an empty body", 200, JSON_TYPE, REFUSED, ""),
  ],
  clocks: [
    clock("ten minutes behind", 600, { ahead: 600, code: "expired" }),
    clock("ten minutes ahead", -600, { ahead: -600, code: "not_yet_valid" }),
    clock("6 s behind", 6, { ahead: 6, code: "expired" }),
    clock("5 s behind", null, { ahead: 5, code: "expired" }),
    clock("a day behind", 86_400, { ahead: 86_400, code: "expired" }),
    clock("a day and a second behind", null, { ahead: 86_401, code: "expired" }),
    clock("the code says the other direction", null, { ahead: 600, code: "not_yet_valid" }),
    clock("the offset was used already", null, { ahead: 600, code: "expired", used: 600 }),
    clock("another offset was used", 1200, { ahead: 1200, code: "expired", used: 600 }),
    clock("the clock was put right since an offset was learned", 0, {
      ahead: 0,
      code: "not_yet_valid",
      used: 600,
    }),
    clock("an exchange of no time: half a second rounds up", 601, {
      ahead: 600,
      code: "expired",
      took: 0,
    }),
    clock("an exchange of no time, behind: half a second rounds up", -599, {
      ahead: -600,
      code: "not_yet_valid",
      took: 0,
    }),
    clock("an exchange of 20 s: its middle counts", 591, {
      ahead: 600,
      code: "expired",
      took: 20_000,
    }),
    clock("an offset of 3 s in place of a large one counts as 0", 0, {
      ahead: 3,
      code: "not_yet_valid",
      used: 600,
    }),
    clock("6 s more than the offset used, which is 3 s then and counts as 0", 0, {
      ahead: 3,
      code: "expired",
      used: -3,
    }),
    clock("4 s less than the offset used", null, { ahead: 4, code: "not_yet_valid", used: 8 }),
    clock("an answer out of a cache", null, { ahead: 600, code: "expired", headers: { age: "3" } }),
    clock("Date of another form", null, {
      ahead: 600,
      code: "expired",
      headers: { date: "2026-04-15T17:18:09Z" },
    }),
    clock("an answer of a minute ago", 600, { ahead: 600, code: "expired", after: 60_000 }),
    clock("an answer of more than a minute ago", null, {
      ahead: 600,
      code: "expired",
      after: 60_001,
    }),
  ],
};
