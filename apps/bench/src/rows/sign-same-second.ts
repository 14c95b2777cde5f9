import { AssertionSigner } from "@countersign/agent-assertion";
import { CREDENTIAL } from "../fixtures/agent.ts";
import { signWithReadyKey } from "../fixtures/ready-key.ts";
import type { ComparisonRow } from "../harness/row.ts";

// By its own clock, as a client signs: a header is made at most once a second, and is the same for all requests of that second.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "sign-same-second",
  title: "sign, same task and second",
  against: "crypto.sign with a ready key",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 100 },
  async open() {
    const signer = new AssertionSigner();
    return {
      product: {
        run: (times) => {
          for (let at = 0; at < times; at += 1) signer.header(CREDENTIAL);
          return undefined;
        },
      },
      peer: signWithReadyKey(),
    };
  },
};
