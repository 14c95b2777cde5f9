import { startTestUpstream } from "@countersign/testing";
import { expect, onTestFinished, test, vi } from "vitest";
import { createRun } from "../config/run.js";
import { openDirectory } from "./directory-option.js";

const PROBE_MS = 5_000;

test("a refusal without a token is over when the authority answers again, though no request comes", async () => {
  let isRefusing = true;
  const authority = await startTestUpstream(() =>
    isRefusing
      ? { status: 401 }
      : {
          status: 404,
          headers: { "content-type": "application/problem+json" },
          body: '{"status":404,"code":"unknown_agent"}',
        },
  );
  onTestFinished(() => authority.close());
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const run = createRun({ enable: [], disable: [] }, new AbortController().signal);
  await using opened = await openDirectory(
    run,
    { authority: authority.url },
    { revocationDelaySeconds: 0, tellsOutages: true, useReportSeconds: 0 },
  );
  await opened.directory.agent("agent-1").catch(() => undefined);
  expect(opened.canVerify()).toBe(false);
  expect(opened.figures().state).toBe("refused");
  isRefusing = false;
  vi.advanceTimersByTime(PROBE_MS);
  await expect.poll(opened.canVerify).toBe(true);
});
