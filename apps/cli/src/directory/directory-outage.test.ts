import { expect, onTestFinished, test, vi } from "vitest";
import { tellOfOutages, watchFailures } from "./directory-outage.js";

const AUTHORITY = "https://authority.example";

function listen(
  reason?: string,
  windowSeconds = 300,
): {
  readonly lines: string[];
  readonly tell: ReturnType<typeof tellOfOutages>;
} {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  return {
    lines,
    tell: tellOfOutages(AUTHORITY, { note: keep, warn: keep }, { last: { reason }, windowSeconds }),
  };
}

test("an outage is reported when it begins, when its cause changes and when it ends, not for every lookup", () => {
  const { lines, tell } = listen();
  tell({ asked: true });
  expect(lines).toEqual([]);
  for (let count = 0; count < 3; count += 1) tell({ asked: true, code: "unreachable" });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/https:\/\/authority\.example .*unreachable/);
  tell({ asked: true, code: "unauthenticated" });
  expect(lines[1]).toContain("--authority-token");
  tell({ asked: true });
  tell({ asked: true });
  expect(lines.slice(2)).toEqual(["the authority https://authority.example answers again"]);
});

test("the end of the time in which earlier answers are used is reported once, and not if the authority answers before it", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { lines, tell } = listen();
  tell({ asked: true, code: "unreachable" });
  vi.advanceTimersByTime(200_000);
  tell({ asked: true, code: "timeout" });
  vi.advanceTimersByTime(99_999);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toContain("for at most 300 s (--outage-window)");
  vi.advanceTimersByTime(1);
  expect(lines[2]).toContain("has not answered for 300 s: every request is refused");
  tell({ asked: true });
  tell({ asked: true, code: "unreachable" });
  tell({ asked: true });
  vi.advanceTimersByTime(600_000);
  expect(lines).toHaveLength(6);
});

test("where no earlier answer is used, the report says so", () => {
  const { lines, tell } = listen(undefined, 0);
  tell({ asked: true, code: "unreachable" });
  expect(lines[0]).toContain("every request that needs an answer is refused");
  expect(lines[0]).not.toContain("earlier");
});

test("a lookup that did not ask the authority changes nothing", () => {
  const { lines, tell } = listen();
  tell({ asked: true, code: "timeout" });
  tell({ asked: false });
  tell({ asked: false, code: "server_error" });
  expect(lines).toHaveLength(1);
});

test("an outage is reported with the reason of the last request", async () => {
  const failure = Object.assign(new Error("self-signed certificate"), {
    code: "DEPTH_ZERO_SELF_SIGNED_CERT",
  });
  const answers: (() => Promise<Response>)[] = [
    () => Promise.reject(new TypeError("fetch failed", { cause: failure })),
    () => Promise.reject(new Error("closed")),
    () => Promise.resolve(new Response("", { status: 400 })),
  ];
  const requests = watchFailures(() => answers.shift()?.() ?? Promise.reject(new Error("no more")));
  const ask = () => requests.fetch(AUTHORITY, { redirect: "manual" }).catch(() => undefined);
  const reasons: (string | undefined)[] = [];
  for (let count = 0; count < 3; count += 1) {
    await ask();
    reasons.push(requests.reason);
  }
  expect(reasons).toEqual(["DEPTH_ZERO_SELF_SIGNED_CERT", undefined, "status 400"]);
  const { lines, tell } = listen("DEPTH_ZERO_SELF_SIGNED_CERT");
  tell({ asked: true, code: "unreachable" });
  expect(lines[0]).toContain("unreachable (DEPTH_ZERO_SELF_SIGNED_CERT); ");
});
