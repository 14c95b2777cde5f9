import type { ListenAdminOptions } from "../../authority-types.js";
import { ADMIN_OPERATIONS } from "../../operations/admin-operations.js";
import { createAdminFunctions } from "../../registry/admin-functions.js";
import type { Listener } from "../listener.js";
import { ADMIN_SCHEMAS } from "../openapi/admin-schemas.js";
import { createDocument } from "../openapi/create-document.js";
import { commonOperations } from "../operations/common-operations.js";
import type { ServedOperations } from "../served-operation.js";
import { createAdminGate } from "./admin-gate.js";
import { serveAdminOperations } from "./serve-admin-operations.js";

/** What operators call. Clients and resource servers are not served there. */
export function adminListener(
  { hosts = [] }: Pick<ListenAdminOptions, "hosts"> = {},
  operations: ServedOperations = serveAdminOperations(ADMIN_OPERATIONS, createAdminFunctions),
): Listener {
  const listener: Listener = {
    title: "Countersign authority: admin API",
    description:
      "Operates the registry of an authority, on a listener of its own. A client ignores unknown members of answers; unknown members of requests are refused. Each refusal is application/problem+json with a code of protocol §9.",
    servers: ["/"],
    prefixes: [""],
    schemas: ADMIN_SCHEMAS,
    operations: {
      ...operations,
      // Any request is refused with `forbidden` to pages, and to a wrong `Host`.
      ...commonOperations(() => createDocument(listener), ["forbidden"]),
    },
    gate: createAdminGate(hosts),
  };
  return listener;
}
