import { isServerId } from "@countersign/agent-key";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Refusal } from "../registry/refusal.js";
import { parseRegistrationTarget, taskRegistrationTarget } from "./registration-target.js";

const bases = [
  ["http://127.0.0.1:4600", undefined],
  ["https://any.example", undefined],
  ["https://authority.example", "https://authority.example"],
  ["https://authority.example/base", "https://authority.example/base"],
] as const;
const serverId = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 64 })
  .filter((id) => isServerId(id));

describe("parseRegistrationTarget", () => {
  it("rejects every other URL as invalid_request, and throws nothing else", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
        for (const [, publicUrl] of bases) {
          expect(() => parseRegistrationTarget(url, publicUrl)).toThrow(Refusal);
        }
      }),
    );
  });

  it("finds any task registration under either mount, escaped or as Codex pastes it", () => {
    fc.assert(
      fc.property(serverId, (id) => {
        for (const [base, publicUrl] of bases) {
          for (const prefix of ["", "/backend-api"]) {
            const path = taskRegistrationTarget(id);
            expect(parseRegistrationTarget(base + prefix + path, publicUrl)).toBe(path);
            const pasted = `${base}${prefix}/v1/agent/${id}/task/register`;
            expect(parseRegistrationTarget(pasted, publicUrl)).toBe(path);
          }
        }
      }),
    );
  });

  it("finds the agent registration under either mount", () => {
    for (const [base, publicUrl] of bases) {
      for (const prefix of ["", "/backend-api"]) {
        const url = `${base}${prefix}/v1/agent/register`;
        expect(parseRegistrationTarget(url, publicUrl)).toBe("/v1/agent/register");
      }
    }
  });
});
