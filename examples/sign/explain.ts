import { refusalOf } from "@countersign/agent-assertion/fetch";

export function explain(error: unknown): string {
  const refusal = refusalOf(error);
  return refusal === undefined ? String(error) : `${refusal.code}: ${refusal.message}`;
}
