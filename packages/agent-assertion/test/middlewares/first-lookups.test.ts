import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { createVerifier } from "../../src/index.js";
import { signAssertion } from "../../src/sign.js";
import { header, key, NOW, TIMESTAMP } from "../fixtures.js";
import { frameworks } from "./frameworks.js";
import { UPGRADE_LINES } from "./raw-exchange.js";
import { endWithTest, SceneDirectory } from "./scene.js";
import type { Site } from "./site.js";

/** Answers about its one agent; about all others never. */
class HangingDirectory extends SceneDirectory {
  readonly asked: string[] = [];
  #wake: (() => void)[] = [];
  readonly #release = Promise.withResolvers<undefined>();

  /** Lets it know none of the others. */
  release(): void {
    this.#release.resolve(undefined);
  }

  override async agent(id: string) {
    this.asked.push(id);
    for (const wake of this.#wake.splice(0)) wake();
    const known = await super.agent(id);
    return known ?? this.#release.promise;
  }

  async until(id: string): Promise<void> {
    while (!this.asked.includes(id)) await new Promise<void>((wake) => this.#wake.push(wake));
  }
}

// One runs and one waits, for each address.
const SMALL = { maxRunning: 2, maxWaiting: 2 };

function lineOf(agentRuntimeId: string): string {
  const value = signAssertion({ agentRuntimeId, taskId: "t", key, timestamp: TIMESTAMP });
  return `Authorization: ${value}`;
}

function askOf(site: Site, agentRuntimeId: string): ReturnType<Site["exchange"]> {
  return site.exchange({ lines: [lineOf(agentRuntimeId)] });
}

function send(port: number, from: string, text: string): void {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  socket.on("error", () => {});
  socket.write(text);
  endWithTest(() => socket.destroy());
}

describe.each(frameworks)("$name", ({ isUpgrade = false, start }) => {
  function requestOf(agentRuntimeId: string): string {
    const lines = ["Host: x", ...(isUpgrade ? UPGRADE_LINES : []), lineOf(agentRuntimeId)];
    return ["GET / HTTP/1.1", ...lines, "", ""].join("\r\n");
  }

  test("shares first lookups out by the client's address, and refuses what is beyond the share (G-M7)", async () => {
    const directory = new HangingDirectory();
    const errors: unknown[] = [];
    const verifier = createVerifier({ directory, now: () => NOW, lookups: SMALL });
    const site = await start({ verifier, onError: (error) => errors.push(error) });
    send(site.port, "127.0.0.1", requestOf("invented-1"));
    await directory.until("invented-1");
    // One waits; the one after it is beyond the share of this address.
    const answers = [askOf(site, "invented-2"), askOf(site, "invented-2")];
    const refused = await Promise.race(answers);
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.body)).toMatchObject({ code: "rate_limited" });
    expect(refused.headers.get("retry-after")).toBe("5");
    send(site.port, "127.0.0.2", requestOf("invented-3"));
    await directory.until("invented-3");
    expect(directory.asked).toEqual(["invented-1", "invented-3"]);
    expect(errors).toEqual([]);
    directory.release();
    await Promise.all(answers);
  });

  test("takes the client's address that it is given, in any form, IPv6 by /64", async () => {
    const directory = new HangingDirectory();
    const verifier = createVerifier({ directory, now: () => NOW, lookups: SMALL });
    const addresses = ["2001:db8::1", "[2001:db8::2]:80", "2001:DB8:0:0:9::", "::ffff:192.0.2.1"];
    const clientAddress = () => addresses.shift() ?? "";
    const site = await start({ verifier, clientAddress });
    send(site.port, "127.0.0.1", requestOf("invented-1"));
    await directory.until("invented-1");
    const answers = [askOf(site, "invented-2"), askOf(site, "invented-2")];
    expect((await Promise.race(answers)).status).toBe(429);
    send(site.port, "127.0.0.1", requestOf("invented-3"));
    await directory.until("invented-3");
    directory.release();
    await Promise.all(answers);
  });

  test("never has a known agent wait for lookups of others (G-M7)", async () => {
    const directory = new HangingDirectory();
    const verifier = createVerifier({
      directory,
      now: () => NOW,
      lookups: { maxRunning: 1, maxWaiting: 1 },
    });
    const site = await start({ verifier });
    const known = { lines: [`Authorization: ${header}`] };
    expect((await site.exchange(known)).status).toBe(200);
    send(site.port, "127.0.0.1", requestOf("invented-1"));
    await directory.until("invented-1");
    expect((await site.exchange(known)).status).toBe(200);
    directory.release();
  });
});
