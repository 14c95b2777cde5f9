// Agents whose key is not in the program: every transport signs with it, and a verifier that wants bound requests takes them.

import type { webcrypto } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { AgentKeyError, AgentPublicKey, type AgentSigner } from "@countersign/agent-key";
import { Agent } from "undici";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  AssertionRejected,
  createVerifier,
  memoryDirectory,
  memoryReplayStore,
} from "../src/index.js";
import { verifyRequest } from "../src/node.js";
import { AssertionSigner } from "../src/sign.js";
import { assertionInterceptor } from "../src/undici.js";
import { AGENT_ID, AUTHORITY, agent, key, NOW, task } from "./fixtures.js";
import { first, ScriptedSource } from "./signed-fetch.js";
import { transports } from "./transports.js";

// A key of WebCrypto that no one can export.
async function webCryptoSigner(): Promise<AgentSigner> {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign"]);
  const { privateKey, publicKey } = pair as webcrypto.CryptoKeyPair;
  const raw = await crypto.subtle.exportKey("raw", publicKey);
  await expect(crypto.subtle.exportKey("pkcs8", privateKey)).rejects.toThrow();
  return {
    publicKey: AgentPublicKey.fromBytes(new Uint8Array(raw)),
    sign: async (message) =>
      new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, Uint8Array.from(message))),
  };
}

async function startServer(signer: AgentSigner) {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    const { port } = server.address() as AddressInfo;
    try {
      const verifier = createVerifier({
        directory,
        now: () => NOW,
        binding: { policy: "require", publicUrl: `http://127.0.0.1:${port}`, replayStore },
      });
      const { covered } = await verifyRequest(request, { verifier });
      seen.push(covered.join(" "));
      response.end("{}");
    } catch (error) {
      seen.push(AssertionRejected.is(error) ? error.code : String(error));
      response.writeHead(401).end();
    }
  });
  const replayStore = memoryReplayStore({ now: () => NOW });
  const directory = memoryDirectory({
    authority: AUTHORITY,
    agents: [{ ...agent, publicKeys: [signer.publicKey] }],
    tasks: [{ ...task, agentRuntimeId: AGENT_ID }],
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = new ScriptedSource();
  source.current = { ...first, key: signer };
  return { url, seen, source };
}

describe.each(transports.map((transport) => [transport.name, transport] as const))(
  "%s",
  (_, transport) => {
    test("sends nothing when the signer fails, and rejects with its error", async () => {
      const signer: AgentSigner = {
        publicKey: key.publicKey,
        sign: () => Promise.reject(new Error("the agent is locked")),
      };
      const { url, seen, source } = await startServer(signer);
      const send = transport.make(source, { origins: [url], binding: true });
      const error = await send(url).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(AgentKeyError.is(error) && error.code).toBe("signer_failed");
      expect(seen).toEqual([]);
    });

    test("signs and binds with a WebCrypto key that cannot be exported", async () => {
      const { url, seen, source } = await startServer(await webCryptoSigner());
      const signer = new AssertionSigner({ now: () => NOW });
      const send = transport.make(source, { origins: [url], signer, binding: true });
      await send(url);
      expect(seen).toEqual(["@method @target-uri authorization"]);
    });
  },
);

test("undici: a body that fails while it is signed fails the request, and not the process", async () => {
  const signing = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const signer: AgentSigner = {
    publicKey: key.publicKey,
    async sign(message) {
      asked.resolve();
      await signing.promise;
      return key.sign(Buffer.from(message).toString());
    },
  };
  const { url, seen, source } = await startServer(signer);
  const agentOfUndici = new Agent().compose(assertionInterceptor(source, { origins: [url] }));
  onTestFinished(() => agentOfUndici.destroy());
  const body = new Readable({ read() {} });
  const sent = agentOfUndici.request({ origin: url, path: "/", method: "POST", body });
  const failed = sent.then(
    () => undefined,
    (error: unknown) => error,
  );
  await asked.promise;
  const reason = new Error("the file is gone");
  body.destroy(reason);
  expect(await failed).toBe(reason);
  signing.resolve();
  expect(seen).toEqual([]);
});
