import { describe, expect, test } from "vitest";
import { type BindingOptions, settleBinding } from "./binding-policy.js";
import { memoryReplayStore } from "./replay-store.js";

const replayStore = memoryReplayStore();
const SETTINGS: BindingOptions = {
  policy: "require",
  publicUrl: "https://api.example",
  replayStore,
};

describe("settleBinding", () => {
  const wrong: [string, Partial<Record<keyof BindingOptions, unknown>>][] = [
    ["no public URL", { publicUrl: undefined }],
    ["no public URL under accept", { policy: "accept", publicUrl: undefined }],
    ["no replay store", { replayStore: undefined }],
    ["no replay store under accept", { policy: "accept", replayStore: undefined }],
    ["an unknown policy", { policy: "on" }],
    ["no policy", { policy: undefined }],
    ["a public URL without a scheme", { publicUrl: "api.example" }],
    ["a public URL with a query", { publicUrl: "https://api.example/?x" }],
    ["a public URL of plain http", { publicUrl: "http://api.example" }],
    ["no room for a body", { maxBodyBytes: 0 }],
    ["a limit that is no number", { maxBodyBytes: Number.NaN }],
    ["a limit over 1 GiB", { maxBodyBytes: 2 ** 30 + 1 }],
  ];
  test.each(wrong)("refuses %s at start", (_, options) => {
    const given = { ...SETTINGS, ...options } as BindingOptions;
    expect(() => settleBinding(given)).toThrow(expect.objectContaining({ code: "config_invalid" }));
  });

  test.each([undefined, { policy: "off" as const }])("has nothing to look at under %o", (given) => {
    expect(settleBinding(given)).toBeUndefined();
  });

  test("takes the public URL without its trailing slash, and bodies up to 16 MiB", () => {
    const insecure = { publicUrl: "http://api.example", insecureHttp: true };
    expect(settleBinding({ ...SETTINGS, ...insecure })).toMatchObject({
      publicUrl: "http://api.example",
    });
    expect(settleBinding({ ...SETTINGS, publicUrl: "https://API.example:443/base/" })).toEqual({
      policy: "require",
      publicUrl: "https://api.example/base",
      replayStore,
      maxBodyBytes: 16 * 1024 * 1024,
    });
  });
});
