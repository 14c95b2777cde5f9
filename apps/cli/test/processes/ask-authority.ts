// Asks the authority as an agent does, and as a verifier does: `node ask-authority.ts AUTHORITY`, with both tokens in the environment.
// Prints one JSON document: what each of them was answered, or the code and hint of its error. With DEADLINE_MS in the environment each has that time, and
// the client asks once more, with a signal that is aborted at once.
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { CountersignError } from "@countersign/agent-key";

const [authority = ""] = process.argv.slice(2);
const { HUMAN_TOKEN = "", SERVER_TOKEN = "", DEADLINE_MS } = process.env;
const deadline = DEADLINE_MS === undefined ? {} : { deadlineMs: Number(DEADLINE_MS) };
const http = { insecureHttp: true } as const;

async function outcomeOf(asked: Promise<unknown>): Promise<unknown> {
  try {
    return (await asked) ?? "unknown";
  } catch (error) {
    if (!CountersignError.is(error)) throw error;
    return { code: error.code, hint: error.hint };
  }
}

/** The error of a caller that cancels after its request was sent. */
async function leave(): Promise<unknown> {
  const leaving = new AbortController();
  const signal = leaving.signal;
  const asked = new AuthorityClient({ authority, ...http }).whoami(HUMAN_TOKEN, { signal });
  setImmediate(() => leaving.abort("left"));
  return await asked;
}

const client = new AuthorityClient({ authority, ...http, ...deadline, attempts: 1 });
const directory = remoteDirectory(authority, { token: SERVER_TOKEN, ...http, ...deadline });
const outcome = {
  client: await outcomeOf(client.whoami(HUMAN_TOKEN)),
  directory: await outcomeOf(directory.agent("agent_that_nobody_registered")),
  ...(DEADLINE_MS === undefined ? {} : { left: await outcomeOf(leave()) }),
};
await directory.close?.();
console.log(JSON.stringify(outcome));
