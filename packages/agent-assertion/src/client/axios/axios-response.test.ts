import type { AxiosResponse } from "axios";
import { expect, test } from "vitest";
import { answerCode } from "./axios-response.js";

const LONGEST = 64 * 1024;

// A problem of exactly so many bytes, in each form in which axios gives a body.
function formsOf(bytes: number): unknown[] {
  const start = '{"code":"task_revoked","detail":"';
  const text = `${start}${"x".repeat(bytes - start.length - 2)}"}`;
  const buffer = Buffer.from(text);
  return [text, new Blob([text]), buffer, Uint8Array.from(buffer).buffer];
}

function codeOf(data: unknown) {
  const headers = { "content-type": "application/problem+json" };
  return answerCode({ headers, data } as unknown as AxiosResponse);
}

test("a refusal's code is read from a body of up to 64 KiB, in any form", async () => {
  for (const data of formsOf(LONGEST + 1)) expect(await codeOf(data)).toBeUndefined();
  for (const data of formsOf(LONGEST)) expect(await codeOf(data)).toBe("task_revoked");
});
