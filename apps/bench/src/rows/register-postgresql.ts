import type { ComparisonRow } from "../harness/row.ts";
import { compareRegistrations } from "../servers/registration-comparison.ts";

export const row: ComparisonRow = {
  kind: "comparison",
  name: "register-postgresql",
  title: "task registrations, PostgreSQL, on disk when they are answered",
  against: "oidc-provider in memory: client credentials, private_key_jwt",
  figure: "speed",
  decides: "cpu",
  goal: { limit: "at least", value: 0.4 },
  shortBecause: "A registration makes seven round trips to the database; the peer makes none.",
  tooLongForQuick: "it starts several servers",
  open: () => compareRegistrations("PostgreSQL"),
};
