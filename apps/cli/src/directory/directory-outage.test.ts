import { expect, test } from "vitest";
import { tellOfOutages } from "./directory-outage.js";

function listen(): { readonly lines: string[]; readonly tell: ReturnType<typeof tellOfOutages> } {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  return { lines, tell: tellOfOutages("https://authority.example", { note: keep, warn: keep }) };
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

test("a lookup that did not ask the authority changes nothing", () => {
  const { lines, tell } = listen();
  tell({ asked: true, code: "timeout" });
  tell({ asked: false });
  tell({ asked: false, code: "server_error" });
  expect(lines).toHaveLength(1);
});
