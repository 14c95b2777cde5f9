import { toWireNames } from "@countersign/agent-key";
import { AgentAuthorityError } from "../../agent-authority-error.js";
import type { AdminOperation } from "../../operations/admin-operation.js";
import type { FunctionsOf } from "../../operations/admin-operations.js";
import type { AdminFunctionsOptions } from "../../registry/admin-functions.js";
import { Refusal } from "../../registry/refusal.js";
import type { AuthorityStore } from "../../store/authority-store.js";
import type { ServedOperation, ServedOperations, ServedRequest } from "../served-operation.js";
import { admitOperator } from "./admit-operator.js";
import { parseInput } from "./parse-input.js";

type Table = Readonly<Record<string, AdminOperation>>;

/** Makes what each operation of a table does on a store. */
export type CreateFunctions<Operations extends Table> = (
  store: AuthorityStore,
  options: AdminFunctionsOptions,
) => FunctionsOf<Operations>;

/** Gives the operations of a table what answers them: what they do on the authority's store, by the word of an operator (SECURITY.md "Operating"). */
export function serveAdminOperations<Operations extends Table>(
  operations: Operations,
  createFunctions: CreateFunctions<Operations>,
): ServedOperations {
  const served = Object.entries(operations).map(([name, operation]): [string, ServedOperation] => [
    name,
    {
      ...operation,
      serve: (context) => async (request) => {
        const options = await admitOperator(context, request, operation);
        const functions: object = createFunctions(context.store, options);
        const run: Run = Reflect.get(functions, name);
        return await answer(operation, run, request);
      },
    },
  ]);
  return Object.fromEntries(served);
}

type Run = (input: object) => Promise<object | undefined>;

async function answer(
  operation: AdminOperation,
  run: Run,
  request: ServedRequest,
): Promise<object> {
  const { query, body, absent = "invalid_request", isOptional = false, isBodyOptional } = operation;
  const input = {
    ...toWireNames(request.params),
    ...(query && parseInput(query, request.query)),
    ...(body && parseInput(body, isBodyOptional ? (request.body ?? {}) : request.body)),
  };
  try {
    const found = await run(input);
    if (found !== undefined) return found;
  } catch (error) {
    // Of the authority's configuration, this is all that an operator's client needs to know.
    if (!isOptional || !AgentAuthorityError.is(error) || error.code !== "config_invalid") {
      throw error;
    }
    throw new Refusal("forbidden", error.message, { cause: error, hint: error.hint });
  }
  throw new Refusal(absent, "the authority has heard of nothing of that name", { status: 404 });
}
