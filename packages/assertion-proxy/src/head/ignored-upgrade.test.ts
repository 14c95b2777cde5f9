import type { IncomingMessage } from "node:http";
import { expect, test } from "vitest";
import { withoutUpgrade } from "./ignored-upgrade.js";

test("each character of a head is written again as the one byte that it came in", () => {
  const rawHeaders = ["Host", "x", "Upgrade", "h2c", "X-Own", "\u00e9"];
  const request = { method: "GET", url: "/", httpVersion: "1.1", rawHeaders } as IncomingMessage;
  const written = withoutUpgrade(request, Buffer.from("early"));
  const expected = "GET / HTTP/1.1\r\nHost:x\r\nX-Own:\u00e9\r\n\r\nearly";
  expect(written.toString("latin1")).toBe(expected);
});
