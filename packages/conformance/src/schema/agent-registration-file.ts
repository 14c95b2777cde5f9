import * as z from "zod";
import { body, fileRemarks, remarks, vectors } from "./vector-file.js";

/** Form `countersign.agent-registration/1`: answers to an agent registration. */
export const agentRegistrationFileSchema = z.strictObject({
  form: z.literal("countersign.agent-registration/1"),
  ...fileRemarks,
  valid: vectors(z.strictObject({ ...remarks, body, agent_runtime_id: z.string() })),
  invalid: vectors(z.strictObject({ ...remarks, body })),
});

/** A file of this form. */
export type AgentRegistrationFile = z.infer<typeof agentRegistrationFileSchema>;
