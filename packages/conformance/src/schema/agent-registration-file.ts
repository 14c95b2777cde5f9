import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** Whom the client registered for, if the answer is to be held against it. */
const requested = z.strictObject({ account_id: z.string(), user_id: z.string() }).optional();

/** Form `countersign.agent-registration/1`: answers to an agent registration. */
export const agentRegistrationFileSchema = z.strictObject({
  form: z.literal("countersign.agent-registration/1"),
  ...fileRemarks,
  valid: vectors(z.strictObject({ ...remarks, body, requested, agent_runtime_id: z.string() })),
  invalid: vectors(z.strictObject({ ...remarks, body, requested })),
});

/** A file of this form. */
export type AgentRegistrationFile = z.infer<typeof agentRegistrationFileSchema>;
