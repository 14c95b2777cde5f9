import { ADMIN_OPERATIONS } from "./admin-operations.js";
import { ADMIN_SCHEMAS } from "./admin-schemas.js";
import { createDocument, type OpenApiDocument } from "./create-document.js";

/** Makes the document of what operators call. */
export function createAdminDocument(): OpenApiDocument {
  return createDocument({
    title: "Countersign authority: admin API",
    description:
      "Operates the registry of an authority. Served on a listener of its own. Unknown members of answers are to be ignored; of requests they are refused. Every refusal is application/problem+json with a code.",
    servers: ["/"],
    schemas: ADMIN_SCHEMAS,
    operations: ADMIN_OPERATIONS,
  });
}
