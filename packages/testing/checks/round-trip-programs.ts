/** A program that a user could write, run against the installed tarballs. */
export interface Program {
  readonly file: string;
  readonly how: string;
  readonly source: string;
}

const CLIENT_MODULES = [
  "@countersign/agent-key",
  "@countersign/agent-key/message-signature",
  "@countersign/agent-key/signers",
  "@countersign/feature-flags",
  "@countersign/private-file",
  "@countersign/private-file/user-home",
  "@countersign/agent-identity",
  "@countersign/agent-identity/authority-client",
  "@countersign/agent-identity/identity-jwt",
  "@countersign/agent-identity/keyring-store",
  "@countersign/agent-identity/server",
  "@countersign/agent-identity/store-contract",
  "@countersign/agent-task",
  "@countersign/agent-task/sealed-box",
  "@countersign/agent-task/server",
  "@countersign/agent-task/store-contract",
  "@countersign/agent-assertion",
  "@countersign/agent-assertion/axios",
  "@countersign/agent-assertion/client-address",
  "@countersign/agent-assertion/express",
  "@countersign/agent-assertion/fastify",
  "@countersign/agent-assertion/fetch",
  "@countersign/agent-assertion/handler",
  "@countersign/agent-assertion/hono",
  "@countersign/agent-assertion/koa",
  "@countersign/agent-assertion/message-signature",
  "@countersign/agent-assertion/nestjs",
  "@countersign/agent-assertion/node",
  "@countersign/agent-assertion/remote-directory",
  "@countersign/agent-assertion/sign",
  "@countersign/agent-assertion/sign-async",
  "@countersign/agent-assertion/store-contract",
  "@countersign/agent-assertion/undici",
  "@countersign/agent-assertion/websocket",
  "@countersign/agent-assertion/ws",
  "@countersign/agent",
  "@countersign/ai",
  "@countersign/ai/mcp-server",
  "@countersign/codex-home",
  "@countersign/conformance",
];
const SERVICE_MODULES = ["@countersign/agent-authority", "@countersign/assertion-proxy"];

// Signs and verifies with the client packages, opens the authority's store, and prints `verified <task id>`.
const ROUND_TRIP = `
async function roundTrip({ AgentKey, signAssertion, createVerifier, memoryDirectory, openStore }) {
  const key = AgentKey.generate();
  const authority = "https://authority.example";
  const directory = memoryDirectory({
    authority,
    agents: [{
      agentRuntimeId: "agent-1", accountId: "acct-1", userId: "user-1", capabilities: [],
      publicKeys: [key.publicKey], state: "active",
    }],
    tasks: [{ agentRuntimeId: "agent-1", taskId: "task-1", state: "active" }],
  });
  const now = Date.UTC(2026, 0, 1);
  const header = signAssertion({ agentRuntimeId: "agent-1", taskId: "task-1", key, timestamp: "2026-01-01T00:00:00Z" });
  const { taskId } = await createVerifier({ directory, now: () => now }).verify(header);
  const store = await openStore("sqlite::memory:");
  await store.close();
  console.log("verified " + taskId);
}
`;

/** Loads every package by \`import\`. */
export const moduleProgram: Program = {
  file: "round-trip.mjs",
  how: "import",
  source: `${[...CLIENT_MODULES, ...SERVICE_MODULES].map((name) => `await import("${name}");`).join("\n")}
import { AgentKey } from "@countersign/agent-key";
import { createVerifier, memoryDirectory, signAssertion } from "@countersign/agent-assertion";
import { openStore } from "@countersign/agent-authority";
${ROUND_TRIP}
await roundTrip({ AgentKey, signAssertion, createVerifier, memoryDirectory, openStore });
`,
};

/** Loads every package by \`require\`. */
export const commonJsProgram: Program = {
  file: "round-trip.cjs",
  how: "require",
  source: `${[...CLIENT_MODULES, ...SERVICE_MODULES].map((name) => `require("${name}");`).join("\n")}
const { AgentKey } = require("@countersign/agent-key");
const { createVerifier, memoryDirectory, signAssertion } = require("@countersign/agent-assertion");
const { openStore } = require("@countersign/agent-authority");
${ROUND_TRIP}
void roundTrip({ AgentKey, signAssertion, createVerifier, memoryDirectory, openStore });
`,
};
