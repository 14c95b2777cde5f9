import { later, NOW } from "./vector-keys.js";

// Version 1 of the key of task-registration.json, and two boxes from there: OpenSSL has no sealed boxes.
const KEY = "MC4CAQAwBQYDK2VwBCIEIKwAuZFIGKSSmpZRNL411yJCBYQ58jatdlVncsTBLD+P";
const SEALED =
  "ZUtlEKtTI1W5Z6wPex6xH2S8yh+qYNB3xTZ1cioQilHDDVp3Cg03n76LcTWTAgdP7axe1A3rcDmDSbua0A==";
const BROKEN = SEALED.replace("Z", "Y");

const read = (name: string, body: object, taskId = "task_sealed_1") => ({
  name,
  body,
  private_key_pkcs8_base64: KEY,
  task_id: taskId,
});
const refused = (name: string, body: unknown) => ({ name, body, private_key_pkcs8_base64: KEY });

/** A task that ends so many seconds after the authority's clock, by which the client's is so many seconds ahead. */
const ending = (seconds: number, ahead = 0) => ({
  body: { task_id: "a", expires_at: later(NOW, seconds) },
  clocks: { client: later(NOW, ahead), authority: NOW },
});

/** Answers to a task registration beside those of task-registration.json: which form counts, and what null means. */
export const moreTaskRegistrationFile = {
  form: "countersign.task-registration/1",
  description:
    "POST {base}/v1/agent/{agent_runtime_id}/task/register: of several forms of the task id the first that is there and not null counts. clocks, where it is there: a client with this clock registers, and the answer has the Date of the authority.",
  responses: [
    read("snake case before camel case", { taskId: "b", task_id: "a" }, "a"),
    read("plain camel case before a sealed one", { encrypted_task_id: BROKEN, taskId: "b" }, "b"),
    read("sealed snake case before camel case", {
      encryptedTaskId: BROKEN,
      encrypted_task_id: SEALED,
    }),
    read("null is skipped", { task_id: null, taskId: "b" }, "b"),
    read("null before a sealed one", { task_id: null, taskId: null, encrypted_task_id: SEALED }),
    read("null before sealed camel case", { encrypted_task_id: null, encryptedTaskId: SEALED }),
    read("null as the end", { task_id: "a", expires_at: null }, "a"),
    { ...read("an end in an hour", {}, "a"), ...ending(3600) },
    { ...read("an end in 5 s", {}, "a"), ...ending(5) },
    {
      ...read("an end that has passed by the client's clock alone", {}, "a"),
      ...ending(3600, 7200),
    },
    read(
      "an end with a fraction and an offset",
      { task_id: "a", expires_at: "2026-04-15T19:08:09.5+02:00" },
      "a",
    ),
  ],
  invalid_responses: [
    { ...refused("ended an hour ago", {}), ...ending(-3600) },
    { ...refused("ended 5 s ago", {}), ...ending(-5) },
    {
      ...refused("ended by the authority's clock, not by the client's", {}),
      ...ending(-3600, -7200),
    },
    {
      ...refused("ended an hour ago, with an offset", {}),
      ...ending(0),
      body: { task_id: "a", expires_at: "2026-04-15T18:08:09+02:00" },
    },
    refused("null in each form", {
      task_id: null,
      taskId: null,
      encrypted_task_id: null,
      encryptedTaskId: null,
    }),
    refused("an empty task id before a good one", { task_id: "", taskId: "b" }),
    refused("a broken box before a good one", {
      encrypted_task_id: BROKEN,
      encryptedTaskId: SEALED,
    }),
    refused("a box in base64url", {
      encrypted_task_id: SEALED.replaceAll("+", "-").replaceAll("/", "_"),
    }),
    refused("a box without padding", { encrypted_task_id: SEALED.replace(/=+$/, "") }),
    refused("a box with white space", { encrypted_task_id: `${SEALED}\n` }),
    refused("a task id with DEL", { task_id: "a\u007fb" }),
    refused("the task id .", { task_id: "." }),
    refused("an end that is not an instant", { task_id: "a", expires_at: "soon" }),
    refused("an end without a zone", { task_id: "a", expires_at: "2026-04-15T17:08:09" }),
    refused("an end that is a number", { task_id: "a", expires_at: 1776272889 }),
  ],
};
