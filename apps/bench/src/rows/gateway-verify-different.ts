import { generateKeyPairSync, sign, verify } from "node:crypto";
import { measureRounds } from "../harness/compare.ts";
import type { FigureRow, Run } from "../harness/row.ts";
import { quartiles } from "../harness/statistics.ts";
import { compareGateways } from "../servers/gateway-comparison.ts";

const READY = 20_000;
const VERIFICATIONS = 200;

// In each round: what a request costs the gateway more than without verification, over what one crypto.verify costs at the same time.
export const row: FigureRow = {
  kind: "figure",
  name: "gateway-verify-different",
  title: "gateway, verification of headers that all differ, CPU",
  against: "crypto.verify",
  unit: "× the cost",
  goal: { limit: "at most", value: 1.2 },
  shortBecause:
    "As for assertions that are all different, and the look-up of agent and task in the gateway's cache.",
  tooLongForQuick: "it starts several servers",
  async measure(run: Run) {
    const { product, peer, close } = await compareGateways(async (stage) => ({
      product: stage.different(await stage.verifying(), READY),
      peer: stage.different(await stage.unverified(), READY),
    }));
    try {
      const verifications: number[] = [];
      const verifyOnce = readyVerification();
      async function runPeer(times: number): Promise<undefined> {
        await peer.run(times);
        verifications.push(verifyOnce());
        return undefined;
      }
      const rounds = await measureRounds({ product, peer: { ...peer, run: runPeer } }, "cpu", run);
      const ofRounds = verifications.slice(-rounds.length);
      return quartiles(
        rounds.map((round, index) => {
          const extra = round.product.cpu - round.peer.cpu;
          return extra / (ofRounds[index] ?? Number.NaN);
        }),
      );
    } finally {
      await close?.();
    }
  },
};

/** Returns what gives the CPU time of one crypto.verify with a ready key, µs. */
function readyVerification(): () => number {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const text = Buffer.alloc(110, "x");
  const signature = sign(null, text, privateKey);
  return () => {
    const before = process.cpuUsage();
    for (let at = 0; at < VERIFICATIONS; at += 1) verify(null, text, publicKey, signature);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / VERIFICATIONS;
  };
}
