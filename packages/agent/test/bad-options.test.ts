import { existsSync } from "node:fs";
import { CountersignError } from "@countersign/agent-key";
import { expectThrow } from "@countersign/testing/vitest";
import { describe, expect, test } from "vitest";
import { type ConnectAgentOptions, connectAgent } from "../src/index.js";
import { startWorld } from "./world.js";

const SECRET = "s3cr3t-token";
const VALID: ConnectAgentOptions = {
  authority: "https://authority.example",
  accessToken: SECRET,
  home: "/nowhere/agent",
  origins: ["https://api.example"],
};
const withoutTypes = connectAgent as (options: unknown) => unknown;

describe("an option is refused with config_invalid, its name and what to do:", () => {
  test.each<[string, object, RegExp]>([
    ["authority", { authority: undefined }, /^authority must be the base URL .*, got nothing$/],
    ["authority", { authority: "" }, /^authority must be .*, got an empty string$/],
    ["authority", { authority: "authority.example" }, /authority/],
    ["authority", { authority: "http://authority.example" }, /authority/],
    ["accessToken", { accessToken: undefined }, /^accessToken must be .*, got nothing$/],
    ["accessToken", { accessToken: "" }, /^accessToken must be .*, got an empty string$/],
    ["accessToken", { accessToken: { token: SECRET } }, /^accessToken must be .*, got an object$/],
    ...[`${SECRET}\n`, ` ${SECRET}`, `${SECRET} two`, `${SECRET}\u00e9`, `${SECRET}\0`].map(
      (accessToken): [string, object, RegExp] => [
        "accessToken",
        { accessToken },
        /^accessToken must be visible ASCII characters alone, got a text with/,
      ],
    ),
    ["home", { home: undefined }, /^home must be the path of a directory/],
    ["home", { home: "my-agent" }, /home/],
    ["home", { home: "" }, /^home must be/],
    ["origins", { origins: undefined }, /^origins must be a list/],
    ["origins", { origins: "https://api.example" }, /^origins must be a list .*, got a string$/],
    ["origins", { origins: [] }, /^origins must name at least one origin/],
    ["origins", { origins: ["https://api.example", 7] }, /^origins\[1\] must be a text/],
    ["origins", { origins: ["http://api.example"] }, /origins/],
    ["origins", { origins: ["api.example"] }, /origins/],
    ["signers", { signers: {} }, /^signers must be a list of AgentSigners/],
    ["signers[0]", { signers: [] }, /^signers\[0\] must be an AgentSigner/],
    ["signers[0]", { signers: [{ publicKey: {} }] }, /^signers\[0\] must be an AgentSigner/],
    ["insecureHttp", { insecureHttp: "yes" }, /^insecureHttp must be true or false, got a string$/],
    ["featuers", { featuers: {} }, /^there is no option featuers$/],
  ])("%s in %j", (name, wrong, says) => {
    const error = expectThrow(
      () => withoutTypes({ ...VALID, ...wrong }),
      CountersignError,
      "config_invalid",
    );
    expect(error.message).toMatch(says);
    expect(error.hint).toEqual(expect.any(String));
    expect(`${error.message} ${error.hint}`).toContain(name);
    expect(`${error.message} ${error.hint}`).not.toContain(SECRET);
  });

  test.each([[undefined], [null], [SECRET], [() => VALID]])("no options: %o", (options) => {
    const error = expectThrow(() => withoutTypes(options), CountersignError, "config_invalid");
    expect(error.message).toMatch(
      /^options must be an object with authority, accessToken, home, origins, got /,
    );
    expect(error.message).not.toContain(SECRET);
  });
});

test("plain http to another machine is taken with insecureHttp alone", async () => {
  const plain = {
    ...VALID,
    authority: "http://authority.example",
    origins: ["http://api.example"],
  };
  await connectAgent({ ...plain, insecureHttp: true }).close();
  for (const named of [{ authority: plain.authority }, { origins: plain.origins }]) {
    const insecure = { ...VALID, ...named, insecureHttp: false };
    expectThrow(() => connectAgent(insecure), CountersignError, "config_invalid");
  }
});

test("connecting reads, sends and writes nothing, and options that change later change nothing", async () => {
  const world = await startWorld();
  const origins = [world.api.url];
  const agent = world.connect({ origins });
  const thread = agent.thread("thread-1");
  expect(world.authority.requests).toEqual([]);
  expect(existsSync(world.home)).toBe(false);
  origins[0] = "https://api.example";
  expect((await thread.fetch(world.api.url)).status).toBe(200);
});

test.each(["", "a\nb", "x".repeat(257), 7])("%j is no thread", async (id) => {
  const agent = (await startWorld()).connect();
  expectThrow(() => agent.thread(id as string), CountersignError, "invalid_request");
});
