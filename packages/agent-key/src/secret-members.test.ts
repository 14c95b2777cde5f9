import { format, inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { hideMembers, showMembers } from "./secret-members.js";

const SECRET = "canary-5f1d";
const everywhere = { showHidden: true, depth: Number.POSITIVE_INFINITY } as const;

interface Login {
  readonly user: string;
  readonly token: string;
  readonly other?: string | undefined;
}

describe("hidden members", () => {
  const login = hideMembers<Login>({ user: "u", token: SECRET }, "token", "other");

  test.each([
    ["util.inspect", () => inspect(login)],
    ["util.inspect with hidden members", () => inspect({ in: [login] }, everywhere)],
    ["console.log", () => format("%s %o %O %j", login, login, login, login)],
    ["JSON.stringify", () => JSON.stringify(login)],
    ["String", () => String(login)],
    ["a copy by spread", () => inspect({ ...login }, everywhere)],
    ["a structured clone", () => inspect(structuredClone(login), everywhere)],
  ])("are not in %s (G-H10)", (_, show) => {
    expect(show()).not.toContain(SECRET);
  });

  test("are read as before, also from a copy that hides them again", () => {
    expect(login.token).toBe(SECRET);
    expect(hideMembers(login, "token").token).toBe(SECRET);
    expect(JSON.stringify(login)).toBe('{"user":"u"}');
    expect("other" in login).toBe(false);
  });
});

describe("shown members", () => {
  const login = showMembers<Login>({ user: "u", token: SECRET }, "user");

  test("are all that an inspection shows", () => {
    for (const options of [{}, everywhere]) {
      expect(inspect({ in: [login] }, options)).not.toContain(SECRET);
      expect(inspect(login, options)).toContain("user: 'u'");
    }
    expect(format("%s %o %O", login, login, login)).not.toContain(SECRET);
  });

  test("change nothing about what is stored", () => {
    expect(login).toEqual({ user: "u", token: SECRET });
    expect(JSON.parse(JSON.stringify(login))).toEqual({ user: "u", token: SECRET });
    expect(structuredClone(login)).toEqual({ user: "u", token: SECRET });
  });
});
