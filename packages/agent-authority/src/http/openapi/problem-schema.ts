import * as z from "zod";
import { code } from "../../schema/wire-fields.js";

/** A refusal (RFC 9457) with a code of protocol §9. */
export const problemSchema = z
  .object({
    title: z.string().describe("The name of the status."),
    status: z.int().min(400).max(599).describe("The status again."),
    code: code.describe("The cause, as a code of protocol §9. A program decides by it."),
    detail: z.string().optional().describe("What is wrong and what to do: for a person."),
    error: z
      .object({
        message: z.string().describe("The detail, or the title if there is none."),
        type: z.string().describe("The kind of the status, as OpenAI's API names it."),
        code: code.describe("The code again."),
      })
      .describe("The refusal in the form of OpenAI's API, for clients of such APIs."),
  })
  .describe("A refusal (RFC 9457).");
