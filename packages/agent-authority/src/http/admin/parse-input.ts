import type { z } from "zod";
import { Refusal } from "../../registry/refusal.js";

/** Reads a query or a body by its schema. Throws `invalid_request`, naming the first member that is not allowed. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.join(".") ?? "";
  throw new Refusal(
    "invalid_request",
    where === "" ? `${issue?.message}` : `${where}: ${issue?.message}`,
    { cause: parsed.error, hint: "GET /openapi.json says what is allowed" },
  );
}
