import { AssertionSigner } from "@countersign/agent-assertion";
import { CREDENTIAL } from "../fixtures/agent.ts";
import { signWithReadyKey } from "../fixtures/ready-key.ts";
import type { ComparisonRow } from "../harness/row.ts";

// More tasks than a signer keeps headers for (1000), in turn: each header was put out by others before its task comes again, so that each is
// made, kept, and puts an older one out. The tasks are ready before: making them is not the signer's work.
const TASKS = 4_096;

export const row: ComparisonRow = {
  kind: "comparison",
  name: "sign-new-task",
  title: "sign, each header for a new task",
  against: "crypto.sign with a ready key",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 0.91 },
  shortBecause: "As with a new second; each new task also takes the place of the oldest kept one.",
  async open() {
    const signer = new AssertionSigner();
    const credentials = Array.from({ length: TASKS }, (_, at) => {
      const taskId = `task_01KCPZV7Q8XH3Y2M5N${String(at).padStart(8, "0")}`;
      return { ...CREDENTIAL, taskId };
    });
    let next = 0;
    return {
      product: {
        run: (times) => {
          for (let at = 0; at < times; at += 1) {
            const credential = credentials[next % TASKS];
            next += 1;
            if (credential !== undefined) signer.header(credential);
          }
          return undefined;
        },
      },
      peer: signWithReadyKey(),
    };
  },
};
