import assert from "node:assert/strict";
// @boundaries-ignore installed beside the programs
import { withAssertion } from "@countersign/agent-assertion/fetch";
import { handler } from "./lambda-url.js";
import { POST as nextRoute } from "./next-route.js";
import { openThread } from "./open-thread.mjs";
import { POST as svelteKitServer } from "./sveltekit-server.js";

const ORIGIN = "https://api.example";
const { identities, thread, close } = openThread();

async function asFunctionUrl(request) {
  const { hostname: domainName, pathname: rawPath, search } = new URL(request.url);
  const { statusCode, ...answer } = await handler({
    ...{ rawPath, rawQueryString: search.slice(1), headers: Object.fromEntries(request.headers) },
    isBase64Encoded: false,
    requestContext: { domainName, http: { method: request.method, sourceIp: "192.0.2.1" } },
  });
  return new Response(answer.body, { status: statusCode, headers: answer.headers });
}

const handlers = {
  nextRoute,
  svelteKitServer: (request) => svelteKitServer({ request, getClientAddress: () => "192.0.2.1" }),
  asFunctionUrl,
};
for (const [name, handle] of Object.entries(handlers)) {
  const send = async (input, init) => handle(new Request(input, init));
  const signed = withAssertion(send, thread, { origins: [ORIGIN] });
  const answer = await signed(`${ORIGIN}/v1/hello`, { method: "POST" });
  const { agent, account } = await answer.json();
  const { agentRuntimeId } = await identities.ensure();
  assert.deepEqual([answer.status, agent, account], [200, agentRuntimeId, "acct-1"], name);
  assert.equal((await send(`${ORIGIN}/v1/hello`, { method: "POST" })).status, 401, name);
}
await close();
