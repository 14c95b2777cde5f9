// Asks the authority as an agent does, and as a verifier does: `node ask-authority.ts AUTHORITY`, with both tokens in the environment.
// Prints one JSON document: what each of them was answered, or the code and hint of its error.
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";
import { AuthorityClient } from "@countersign/agent-identity/authority-client";
import { CountersignError } from "@countersign/agent-key";

const [authority = ""] = process.argv.slice(2);
const { HUMAN_TOKEN = "", SERVER_TOKEN = "" } = process.env;
const http = { insecureHttp: true } as const;

async function outcomeOf(asked: Promise<unknown>): Promise<unknown> {
  try {
    return (await asked) ?? "unknown";
  } catch (error) {
    if (!CountersignError.is(error)) throw error;
    return { code: error.code, hint: error.hint };
  }
}

const client = new AuthorityClient({ authority, ...http, attempts: 1 });
const directory = remoteDirectory(authority, { token: SERVER_TOKEN, ...http });
const outcome = {
  client: await outcomeOf(client.whoami(HUMAN_TOKEN)),
  directory: await outcomeOf(directory.agent("agent_that_nobody_registered")),
};
await directory.close?.();
console.log(JSON.stringify(outcome));
