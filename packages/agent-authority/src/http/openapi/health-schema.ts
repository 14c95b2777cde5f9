import * as z from "zod";

/** What `GET /healthz` and `GET /readyz` answer. */
export const healthSchema = z
  .object({ status: z.literal("ok").describe("All is well.") })
  .describe("The answer to a probe.");
