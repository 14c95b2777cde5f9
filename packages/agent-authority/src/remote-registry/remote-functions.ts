import { type AuthorityClient, AuthorityError } from "@countersign/agent-identity/authority-client";
import { AgentAuthorityError } from "../agent-authority-error.js";
import type { AdminOperation } from "../operations/admin-operation.js";
import type { FunctionsOf } from "../operations/admin-operations.js";
import { fillPath } from "../operations/operation-path.js";

/** Sends requests to an admin listener, as its operator. */
export interface OperatorClient {
  readonly client: AuthorityClient;
  /** Secret. */
  readonly token: string;
}

/** Gives each row of a table of operations what asks an admin listener for it. */
export function createRemoteFunctions<Table extends Readonly<Record<string, AdminOperation>>>(
  operator: OperatorClient,
  operations: Table,
): FunctionsOf<Table> {
  const functions = Object.entries(operations).map(([name, operation]) => [
    name,
    (input: object) => ask(operator, operation, input),
  ]);
  return Object.fromEntries(functions);
}

/** Asks for one operation. Resolves to `undefined` if there is no such thing. */
async function ask(operator: OperatorClient, operation: AdminOperation, input: object) {
  const { path, rest } = fillPath(operation.path, input);
  try {
    const answer =
      operation.method === "get"
        ? await send(operator, "GET", withQuery(path, rest))
        : await send(operator, "POST", path, operation.body && rest);
    return parse(operation, answer);
  } catch (error) {
    if (!AuthorityError.is(error) || error.status !== 404) throw error;
    const { absent, within } = operation;
    // Something else than an admin API answers 404 as well: it has no such list.
    if (within !== undefined) await requireList(operator, within);
    if (absent === undefined || (within === undefined && error.code !== absent)) throw error;
    return undefined;
  }
}

// A refusal says as well that the list is there.
async function requireList(operator: OperatorClient, list: string): Promise<void> {
  try {
    await send(operator, "GET", `${list}?limit=1`);
  } catch (error) {
    if (!AuthorityError.is(error) || error.code !== "forbidden") throw error;
  }
}

function parse({ answer }: AdminOperation, value: unknown): unknown {
  const parsed = answer.schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new AgentAuthorityError(
    "bad_response",
    "the answer is not of the form of an authority's admin API",
    { cause: parsed.error, hint: "check that the URL names the admin listener of an authority" },
  );
}

async function send(
  { client, token }: OperatorClient,
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<unknown> {
  const human = { accessToken: token, proof: "bearer" } as const;
  return (await client.request({ method, path, body, human })).body;
}

function withQuery(path: string, members: Readonly<Record<string, unknown>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}
