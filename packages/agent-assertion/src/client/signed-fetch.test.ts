import { afterEach, expect, test } from "vitest";
import { expectFailure } from "../../test/expect-rejection.js";
import { TASK_ID } from "../../test/fixtures.js";
import { credentialsOf, ScriptedSource, start, stopServers } from "../../test/signed-fetch.js";
import { AgentAssertionError } from "../agent-assertion-error.js";
import { signedFetch } from "./signed-fetch.js";

afterEach(stopServers);

test("refuses to bind, so that no request is sent unbound where its program asked for a binding", async () => {
  const options = { origins: ["https://api.example"], binding: true };
  await expectFailure(() => signedFetch(fetch, new ScriptedSource(), options), "config_invalid");
});

test("refuses what is not a fetch", async () => {
  const options = { origins: ["https://api.example"] };
  const wrong = [undefined, new ScriptedSource(), options];
  const run = () => Reflect.apply(signedFetch, undefined, wrong);
  await expectFailure(run, "config_invalid");
});

test("signs at the named origins, and rejects with the source's error", async () => {
  const server = await start();
  const source = new ScriptedSource();
  const api = signedFetch(fetch, source, { origins: [server.url] });
  await api(server.url);
  expect(credentialsOf(server)).toEqual([TASK_ID]);
  const revoked = new AgentAssertionError("agent_revoked", "it was revoked");
  source.credential = () => Promise.reject(revoked);
  await expect(api(server.url)).rejects.toBe(revoked);
  expect(credentialsOf(server)).toHaveLength(1);
});
