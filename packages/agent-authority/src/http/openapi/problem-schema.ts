import type { Code } from "@countersign/agent-key";
import * as z from "zod";

/** A refusal (RFC 9457) with one of these codes of protocol §9. */
export function problemSchema(status: number, codes: readonly Code[]) {
  return z.object({
    title: z.string(),
    status: z.literal(status),
    code: z.enum(codes),
    detail: z.string().optional(),
    error: z
      .object({ message: z.string(), type: z.string(), code: z.enum(codes) })
      .describe("The refusal again, as the API of OpenAI has it."),
  });
}
