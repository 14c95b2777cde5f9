import type { ComparisonRow } from "../harness/row.ts";
import { compareRegistrations } from "../servers/registration-comparison.ts";

// CPU time decides: it bounds what one process of the authority serves. The wall time beside it holds the waiting for the disk, which the
// commits of one group share, and the generator of load.
export const row: ComparisonRow = {
  kind: "comparison",
  name: "register-sqlite",
  title: "task registrations, SQLite, on disk when they are answered",
  against: "oidc-provider in memory: client credentials, private_key_jwt",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 0.8 },
  shortBecause:
    "A registration checks one signature, as the peer does. It also seals the id of the task for the agent's key and writes to disk.",
  tooLongForQuick: "it starts several servers",
  open: () => compareRegistrations("SQLite"),
};
