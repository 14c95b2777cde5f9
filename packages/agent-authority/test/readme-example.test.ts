import { readFile } from "node:fs/promises";
import { AssertionRejected } from "@countersign/agent-assertion";
import { expectRejection } from "@countersign/testing/vitest";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRegistry, openStore } from "../src/index.js";
import { serveWithFigures } from "./examples/figures.js";
import { issueFor } from "./examples/issue-identity.js";
import { stopUser } from "./examples/operate.js";
import { serve } from "./examples/serve.js";
import { openVerifier } from "./examples/verify.js";
import { createAuthorityForWorkflows } from "./examples/workflows.js";
import { createTestDatabase, type TestDatabase } from "./test-database.js";

let own: TestDatabase;
let database: string;

beforeAll(async () => {
  own = await createTestDatabase();
  database = own.url;
});

afterAll(() => own.drop());

test.each([
  ["../README.md", "serve"],
  ["../../../docs/authority.md", "operate"],
  ["../../../docs/authority.md", "verify"],
  ["../../../docs/authority.md", "workflows"],
  ["../../../docs/authority.md", "issue-identity"],
  ["../../../docs/authority.md", "figures"],
])("%s holds the example %s as it is compiled", async (path, name) => {
  const document = await readFile(new URL(path, import.meta.url), "utf8");
  const source = await readFile(new URL(`./examples/${name}.ts`, import.meta.url), "utf8");
  // The example stands inside the package, its reader outside.
  expect(document).toContain(
    source.replace("../../src/index.js", "@countersign/agent-authority").trim(),
  );
});

test("the programs of the documents do what these say", async () => {
  const { url, token, close } = await serve(database);
  const answer = await fetch(`${url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toEqual({ account_id: "acct-1", user_id: "user-1" });

  expect(await stopUser(database, "acct-1", "user-1")).toEqual({ state: "revoked", liveAgents: 0 });
  const refused = await fetch(`${url}/v1/whoami`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(refused.status).toBe(403);

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
