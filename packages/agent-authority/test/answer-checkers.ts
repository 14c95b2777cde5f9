import { adminListener } from "../src/http/admin/admin-listener.js";
import type { AuthorityContext } from "../src/http/authority-context.js";
import { createDocument } from "../src/http/openapi/create-document.js";
import { publicListener } from "../src/http/public-listener.js";
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
    new AnswerChecker(createDocument(publicListener({ generations, publicUrl })), BACKEND_PREFIX);
  publicCheckers.set(key, checker);
  return checker;
}

/** Returns the checker of what an admin listener answers. */
export function adminCheckerOf(): AnswerChecker {
  adminChecker ??= new AnswerChecker(createDocument(adminListener()), "");
  return adminChecker;
}
