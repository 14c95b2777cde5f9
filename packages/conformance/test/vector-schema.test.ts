import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agentRegistrationFileSchema } from "../src/schema/agent-registration-file.js";
import { answersFileSchema } from "../src/schema/answers-file.js";
import { assertionsFileSchema } from "../src/schema/assertions-file.js";
import { callerTokenFileSchema } from "../src/schema/caller-token-file.js";
import { codexCaptureFileSchema } from "../src/schema/codex-capture-file.js";
import { derivationsFileSchema } from "../src/schema/derivations-file.js";
import { directoryFileSchema } from "../src/schema/directory-file.js";
import { identityJwtFileSchema } from "../src/schema/identity-jwt-file.js";
import { keyRotationFileSchema } from "../src/schema/key-rotation-file.js";
import { keysFileSchema } from "../src/schema/keys-file.js";
import { ownEndFileSchema } from "../src/schema/own-end-file.js";
import { plainTaskRegistrationFileSchema } from "../src/schema/plain-task-registration-file.js";
import { refusalsFileSchema } from "../src/schema/refusals-file.js";
import { registrationProofFileSchema } from "../src/schema/registration-proof-file.js";
import { registrationRequestsFileSchema } from "../src/schema/registration-requests-file.js";
import { requestsFileSchema } from "../src/schema/requests-file.js";
import { taskRegistrationFileSchema } from "../src/schema/task-registration-file.js";
import { VECTORS_DIRECTORY } from "../src/vectors-directory.js";

const SCHEMA = fileURLToPath(new URL("schemas/vector-file.schema.json", VECTORS_DIRECTORY));

const anyFile = z.discriminatedUnion("form", [
  keysFileSchema,
  agentRegistrationFileSchema,
  taskRegistrationFileSchema,
  assertionsFileSchema,
  requestsFileSchema,
  answersFileSchema,
  registrationProofFileSchema,
  registrationRequestsFileSchema,
  keyRotationFileSchema,
  ownEndFileSchema,
  directoryFileSchema,
  plainTaskRegistrationFileSchema,
  refusalsFileSchema,
  derivationsFileSchema,
  identityJwtFileSchema,
  callerTokenFileSchema,
  codexCaptureFileSchema,
]);
const schema = z.toJSONSchema(anyFile, { io: "input" });

// `vitest run test/vector-schema.test.ts --update` writes it.
test("the JSON Schema of vector files is that of the forms that are run", async () => {
  await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(SCHEMA);
});

describe("the JSON Schema", async () => {
  const validate = new Ajv2020().compile(schema);
  const files = (await readdir(VECTORS_DIRECTORY)).filter((name) => name.endsWith(".json"));

  test.each(files)("takes %s, and refuses it with a member more", async (name) => {
    const content = JSON.parse(await readFile(new URL(name, VECTORS_DIRECTORY), "utf8"));
    expect(validate(content)).toBe(true);
    expect(validate({ ...content, another: 1 })).toBe(false);
  });

  test("refuses a form that is not known", () => {
    expect(validate({ form: "countersign.keys/2" })).toBe(false);
  });
});
