import { join } from "node:path";
import { AssertionRejected } from "@countersign/agent-assertion";
import { createRegistry, openStore } from "@countersign/agent-authority";
import { expectRejection, openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { serveWithFigures } from "../authority/figures.js";
import { issueFor } from "../authority/issue-identity.js";
import { stopUser } from "../authority/operate.js";
import { serve } from "../authority/serve.js";
import { openVerifier } from "../authority/verify.js";
import { createAuthorityForWorkflows } from "../authority/workflows.js";

test("the programs of the authority's documents do what these say", async () => {
  const database = `sqlite:${join(await openDirectory(), "authority.db")}`;
  const { url, token, close } = await serve(database);
  const whoami = () => fetch(`${url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });
  expect(await (await whoami()).json()).toMatchObject({ account_id: "acct-1", user_id: "user-1" });

  expect(await stopUser(database, "acct-1", "user-1")).toEqual({ state: "revoked", liveAgents: 0 });
  expect((await whoami()).status).toBe(403);

  const verifier = await openVerifier(database);
  await expectRejection(verifier.verify("AgentAssertion e30"), AssertionRejected, "malformed");
  await close();
  const store = await openStore(database);
  const workflows = await createAuthorityForWorkflows(store);
  await workflows.close();
  const figures = await serveWithFigures(database, 0);
  expect((await fetch(`${figures.url}/readyz`)).status).toBe(200);
  await figures.close();
  expect(await issueFor(database, "acct-1", "user-2")).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  expect(await createRegistry(store).listUsers({ state: "revoked" })).toHaveLength(1);
  await store.close();
});
