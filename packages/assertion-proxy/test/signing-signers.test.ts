// The signing proxy of an agent whose key is kept elsewhere: what it sends on is a signature, and never the promise of one.
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createVerifier, memoryDirectory, memoryReplayStore } from "@countersign/agent-assertion";
import { verifyRequest } from "@countersign/agent-assertion/node";
import type { AgentKey, AgentSigner } from "@countersign/agent-key";
import { expect, onTestFinished, test } from "vitest";
import { sendRaw } from "./raw-client.js";
import { credentialOf, startSigningProxy } from "./start-signing-proxy.js";
import { HANDSHAKE } from "./websocket-bytes.js";

const credential = credentialOf();
const key = credential.key as AgentKey;
const later: AgentSigner = {
  publicKey: key.publicKey,
  sign: async (message) => key.sign(message),
};

/** An API that takes bound requests alone, and says what they covered. */
async function startStrictApi() {
  const seen: IncomingMessage[] = [];
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { authority, agentRuntimeId, taskId } = credential;
  const state = "active" as const;
  const owner = { accountId: "acct-1", userId: "user-1", capabilities: [], state };
  const verifier = createVerifier({
    directory: memoryDirectory({
      authority,
      agents: [{ agentRuntimeId, ...owner, publicKeys: [key.publicKey] }],
      tasks: [{ agentRuntimeId, taskId, state }],
    }),
    binding: { policy: "require", publicUrl: url, replayStore: memoryReplayStore() },
  });
  server.on("request", async (request, response) => {
    seen.push(request);
    const answer = await verifyRequest(request, { verifier }).then(
      ({ covered }) => covered.join(" "),
      (error: unknown) => String(error),
    );
    response.end(answer);
  });
  server.on("upgrade", (request, socket) => {
    seen.push(request);
    socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
  });
  return { url, seen };
}

test("a request is signed and bound by a signer that gives a promise", async () => {
  const api = await startStrictApi();
  const proxy = await startSigningProxy({ upstream: api.url, binding: true });
  proxy.source.current = { ...credential, key: later };
  const answer = await sendRaw(proxy.url, proxy.request("GET", "/x"));
  expect(answer.body).toBe("@method @target-uri authorization");
});

test("so is a WebSocket's handshake", async () => {
  const api = await startStrictApi();
  const proxy = await startSigningProxy({ upstream: api.url });
  proxy.source.current = { ...credential, key: later };
  await sendRaw(proxy.url, proxy.request("GET", "/ws", HANDSHAKE));
  expect(api.seen[0]?.headers.authorization).toMatch(/^AgentAssertion [A-Za-z0-9_-]{100,}$/);
});

test("nothing is sent on while the signer rejects, and the client is told why", async () => {
  const api = await startStrictApi();
  const proxy = await startSigningProxy({ upstream: api.url });
  const locked = { ...later, sign: () => Promise.reject(new Error("the agent is locked")) };
  proxy.source.current = { ...credential, key: locked };
  const answer = await sendRaw(proxy.url, proxy.request("GET", "/x"));
  expect(answer.status).toBe(503);
  expect(JSON.parse(answer.body)).toMatchObject({ code: "signer_failed" });
  expect(answer.body).not.toContain("the agent is locked");
  expect(api.seen).toEqual([]);
});
