import { readFileSync } from "node:fs";
import { z } from "zod";

/** A valid or invalid answer of the vectors. */
export const answerSchema = z.object({
  name: z.string(),
  body: z.unknown(),
  private_key_pkcs8_base64: z.string(),
});

/** `countersign.task-registration/1`. */
export const taskRegistrationVectors = z
  .object({
    requests: z.array(
      z.object({
        agent_runtime_id: z.string(),
        timestamp: z.string(),
        private_key_pkcs8_base64: z.string(),
        signed_text: z.string(),
        signature: z.string(),
      }),
    ),
    responses: z.array(answerSchema.extend({ task_id: z.string() })),
    invalid_responses: z.array(answerSchema),
  })
  .parse(load("task-registration.json"));

/** `countersign.keys/1`. */
export const keyVectors = z
  .object({
    valid: z.array(
      z.object({
        name: z.string(),
        private_key_pkcs8_base64: z.string(),
        ssh_public_key: z.string(),
        x25519_public_key_hex: z.string(),
      }),
    ),
  })
  .parse(load("keys.json"));

/** `countersign.codex-capture/1`. */
export const codexVectors = z
  .object({
    pkcs8_v1_b64: z.string(),
    pkcs8_v2_b64: z.string(),
    public_key_ssh: z.string(),
    x25519_public_hex: z.string(),
    task_registration: z.object({ payload: z.string(), signature: z.string() }),
    sealed_box_sample: z.object({ plaintext: z.string(), b64: z.string(), len: z.number() }),
  })
  .parse(load("codex-0.122.json"));

// The one copy of the vectors is the one that conformance publishes.
function load(name: string): unknown {
  return JSON.parse(
    readFileSync(new URL(`../../conformance/vectors/${name}`, import.meta.url), "utf8"),
  );
}
