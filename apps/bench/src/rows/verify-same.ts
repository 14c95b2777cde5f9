import { AssertionRejected, createVerifier } from "@countersign/agent-assertion";
import { CHECKED_AT, revocableDirectory, signedHeaders } from "../fixtures/signed-headers.ts";
import { verifyWithReadyKey } from "../fixtures/verifying.ts";
import type { ComparisonRow } from "../harness/row.ts";

// The requests of one second carry the same bytes. Their signature is remembered, and everything that may have changed is still looked at.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "verify-same",
  title: "verify, the same bytes again",
  against: "crypto.verify with a ready key",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 100 },
  shortBecause:
    "Time, states and policy are looked at for each request, and a revocation is seen: only reading and the signature are kept.",
  async open() {
    const [first] = signedHeaders(1);
    if (first === undefined) throw new Error("no header was made");
    const directory = revocableDirectory();
    const verifier = createVerifier({ directory, now: () => CHECKED_AT });
    return {
      product: {
        run: async (times) => {
          for (let at = 0; at < times; at += 1) await verifier.verify(first.header);
          return undefined;
        },
      },
      peer: verifyWithReadyKey([first]),
      async check() {
        directory.revoked = true;
        const rejection = await verifier.verify(first.header).catch((error: unknown) => error);
        const isSeen = AssertionRejected.is(rejection) && rejection.code === "agent_revoked";
        if (!isSeen) throw new Error("a revocation between two requests was not seen");
        return undefined;
      },
    };
  },
};
