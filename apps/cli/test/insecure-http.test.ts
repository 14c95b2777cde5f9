import { join } from "node:path";
import type { TemporaryDirectory, TestAuthority, TestUpstream } from "@countersign/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { contentOf, countersign, expectError, storeLogin } from "./command-line.js";
import { freshWorld } from "./fresh-home.js";

const INSECURE = "--insecure-http";

let folder: TemporaryDirectory;
let home: string;
let authority: TestAuthority;
let upstream: TestUpstream;
let options: { home: string; env: Record<string, string> };

// This machine under an address that is not counted as loopback: to the program it is another one.
const elsewhere = (url: string) => url.replace("127.0.0.1", "0.0.0.0");

beforeEach(async () => {
  ({ folder, home, authority, upstream, options } = await freshWorld());
  authority.addHuman({ accountId: "acct-1", userId: "user-1", accessToken: "t0ken" });
});

describe("plain http to another machine is config_invalid unless --insecure-http names it", () => {
  test.each([
    { what: "identity ensure", args: () => ["identity", "ensure"] },
    { what: "task ensure", args: () => ["task", "ensure"] },
    { what: "header", args: () => ["header"] },
    { what: "login", args: () => ["login", "--token-stdin"] },
    {
      what: "request",
      args: () => ["request", upstream.url, "--origin", elsewhere(upstream.url)],
    },
    { what: "verify", args: () => ["verify", "x", "--authority", elsewhere(authority.url)] },
    {
      what: "gateway",
      args: () => [
        ...["gateway", "--listen", "127.0.0.1:0", "--upstream", elsewhere(upstream.url)],
        ...["--authority", authority.url],
      ],
    },
    {
      what: "proxy",
      args: () => ["proxy", "--listen", "127.0.0.1:0", "--upstream", elsewhere(upstream.url)],
    },
    {
      what: "codex export",
      args: () => [
        ...["codex", "export", "--codex-home", join(folder.path, "codex"), "--token-stdin"],
        ...["--account", "acct-1", "--user", "user-1", "--authority", authority.url],
        ...["--gateway", elsewhere(upstream.url)],
      ],
    },
  ])("$what", async ({ args }) => {
    await storeLogin(home, { authority: elsewhere(authority.url) });
    const before = contentOf(folder.path);
    const result = await countersign(args(), { ...options, input: "t0ken" });
    expectError(result, "config_invalid", 2);
    expect(result.stderr).toContain("is plain http to another machine");
    expect(result.stderr).toContain(`add ${INSECURE}`);
    expect(authority.requests).toEqual([]);
    expect(upstream.requests).toEqual([]);
    expect(contentOf(folder.path)).toEqual(before);
  });

  test("where it is named it is used, and warned of once for each server", async () => {
    const login = ["login", "--authority", elsewhere(authority.url), "--token-stdin", INSECURE];
    const loggedIn = await countersign(login, { ...options, input: "t0ken" });
    expect(loggedIn).toMatchObject({ code: 0 });
    const origin = elsewhere(upstream.url);
    const request = ["request", `${origin}/v1`, "--origin", origin, INSECURE];
    const answered = await countersign(request, options);
    expect(answered).toMatchObject({ code: 0, stdout: '{"ok":true}' });
    for (const url of [elsewhere(authority.url), origin]) {
      const warnings = answered.stderr
        .split("\n")
        .filter((line) => line.startsWith("warning: ") && line.includes(url));
      expect(warnings).toHaveLength(1);
    }
    expect(authority.counts).toMatchObject({ registerAgent: 1, registerTask: 1 });
  });
});

test("to loopback nothing is warned of", async () => {
  await storeLogin(home, { authority: authority.url });
  const args = ["task", "ensure", INSECURE];
  const { stderr } = await countersign(args, options);
  expect(stderr).not.toContain("everybody");
});
