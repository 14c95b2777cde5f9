import type { AuthorityContext } from "../src/http/authority-context.js";
import { createAdminDocument } from "../src/http/openapi/admin-document.js";
import { createPublicDocument } from "../src/http/openapi/public-document.js";
import { BACKEND_PREFIX } from "../src/http/registration-target.js";
import { AnswerChecker } from "./answer-checker.js";

// Compiling a document takes longer than starting the authority that it describes, so each is compiled once.
const publicCheckers = new Map<string, AnswerChecker>();
let adminChecker: AnswerChecker | undefined;

/** Returns the checker of what the public listener of an authority with these options answers. */
export function publicCheckerOf({
  generations,
  publicUrl,
}: Pick<AuthorityContext, "generations" | "publicUrl">): AnswerChecker {
  const key = JSON.stringify([[...generations], publicUrl]);
  const checker =
    publicCheckers.get(key) ??
    new AnswerChecker(createPublicDocument({ generations, publicUrl }), BACKEND_PREFIX);
  publicCheckers.set(key, checker);
  return checker;
}

/** Returns the checker of what an admin listener answers. */
export function adminCheckerOf(): AnswerChecker {
  adminChecker ??= new AnswerChecker(createAdminDocument(), "");
  return adminChecker;
}
