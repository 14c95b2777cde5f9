import type { AssertedFetch } from "@countersign/agent-assertion/fetch";
import { expect, test } from "vitest";
import { SDK_CLIENTS } from "./sdk-clients.js";
import { startWorld } from "./world.js";

// The others are for APIs whose refusals have another form.
const CLIENTS = SDK_CLIENTS.filter(({ name }) => /openai/i.test(name));

const unsigned: AssertedFetch = (input, init) => fetch(input, init as RequestInit);

test.each(
  CLIENTS.flatMap((client) => [
    { name: `a call by ${client.name}`, client, call: client.ask },
    { name: `a streamed call by ${client.name}`, client, call: client.stream },
  ]),
)("shows the words of the gateway and nothing else of its refusal: $name", async (each) => {
  const { client, call } = each;
  const world = await startWorld(client);
  const { origin } = world.settings();
  const { detail, code } = await (await fetch(`${origin}/v1/any`)).json();
  const error: unknown = await call({ origin, key: "sk-any", fetch: unsigned }).then(
    () => expect.unreachable("a request without an assertion was served"),
    (reason: unknown) => reason,
  );
  expect(code).toBe("missing");
  const { message, type } = Object(error);
  // LangChain puts a link below it.
  expect(message.replace(/^401 /, "").split("\n\nTroubleshooting URL:")[0]).toBe(detail);
  if (type !== undefined) expect(error).toMatchObject({ type: "authentication_error", code });
});
