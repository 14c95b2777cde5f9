import type { AuthorityContext } from "../authority-context.js";
import { BACKEND_PREFIX } from "../registration-target.js";
import { createDocument, type OpenApiDocument } from "./create-document.js";
import { publicOperations } from "./public-operations.js";
import { PUBLIC_SCHEMAS } from "./public-schemas.js";

/**
 * Makes the document of what clients and resource servers call.
 *
 * @param isOnLoopback - whether it is for callers on this machine's loopback, who may be let into the directory without a token
 */
export function createPublicDocument(
  { generations, publicUrl }: Pick<AuthorityContext, "generations" | "publicUrl">,
  isOnLoopback = true,
): OpenApiDocument {
  const isDirectoryOpen = isOnLoopback && publicUrl === undefined;
  return createDocument({
    title: "Countersign authority",
    description:
      "Registers agents and their tasks, and answers for them to resource servers. Unknown members of requests and answers are to be ignored. Every refusal is application/problem+json with a code.",
    servers: serversOf(publicUrl),
    schemas: PUBLIC_SCHEMAS,
    operations: publicOperations({ generations, isDirectoryOpen }),
  });
}

function serversOf(publicUrl: string | undefined): readonly string[] {
  if (publicUrl === undefined) return ["/", BACKEND_PREFIX];
  return publicUrl.endsWith(BACKEND_PREFIX) ? [publicUrl] : [publicUrl, publicUrl + BACKEND_PREFIX];
}
