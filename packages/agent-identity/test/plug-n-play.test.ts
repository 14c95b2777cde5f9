import { startProcess } from "@countersign/testing";
import { openDirectory } from "@countersign/testing/vitest";
import { expect, test } from "vitest";
import { fileStore } from "../src/index.js";
import { commandOf } from "./support/processes.js";

const PLUG_N_PLAY = new URL("processes/plug-n-play.mjs", import.meta.url).href;

test("a store is written where file handles cannot sync, as under Yarn's Plug'n'Play", async () => {
  const home = await openDirectory();
  const [command = "", ...args] = commandOf("update-store.ts", home, "a");
  await using running = await startProcess(command, ["--import", PLUG_N_PLAY, ...args]);
  await running.waitForLine(/^ready$/);
  running.write("go\n");
  expect(await running.exited).toMatchObject({ code: 0, stderr: "" });
  expect(await fileStore(home).load()).toMatchObject({ a0: true, a9: true });
});
