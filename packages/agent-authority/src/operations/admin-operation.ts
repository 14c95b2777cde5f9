import type { z } from "zod";
import { NEEDS, type Need } from "./needs.js";
import type { DocumentedRefusal, Operation } from "./operation.js";
import type { ParametersOf } from "./operation-path.js";

/** The code of a 404 that says that there is no such thing. */
export type AbsentCode = "unknown_agent" | "unknown_task" | "invalid_request";

/** One request that an admin listener answers. */
export interface AdminOperation extends Operation {
  /** Which tokens may call it. */
  readonly needs: Need;
  /** Whether it concerns all accounts at once: a token for some accounts may not call it. */
  readonly isForAllAccounts?: true;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  readonly answer: Operation["answer"] & { readonly schema: z.ZodType };
  /** How it is answered if there is no such thing. Left out: there always is. */
  readonly absent?: AbsentCode;
  /** The list that the thing would be in, if no code of its own says that it is not. */
  readonly within?: string;
  /** Whether an authority may be configured not to serve it: it is then refused with `forbidden`. */
  readonly isOptional?: true;
}

/** What an operation is asked with, by the names of the wire: path parameters, query and body together. */
export type InputOf<Row extends AdminOperation> = ParametersOf<Row["path"]> &
  (Row extends { readonly query: infer Query extends z.ZodType } ? z.output<Query> : unknown) &
  (Row extends { readonly body: infer Body extends z.ZodType } ? z.output<Body> : unknown);

/** What an operation answers, by the names of the wire; `undefined` if there is no such thing. */
export type OutputOf<Row extends AdminOperation> =
  | z.output<Row["answer"]["schema"]>
  | (Row extends { readonly absent: AbsentCode } ? undefined : never);

const ADMIN = { audited: "admin", addressLimit: "refused_requests" } as const;
const FORBIDDEN = ["forbidden"] as const satisfies readonly DocumentedRefusal[];

/** Describes a list, which is read page by page. */
export function list<
  const Path extends string,
  Query extends z.ZodObject,
  Schema extends z.ZodObject,
  const Extra extends Partial<Pick<AdminOperation, "needs" | "isForAllAccounts">> = object,
>(
  path: Path,
  summary: string,
  description: string,
  query: Query,
  schema: Schema,
  extra: Extra = {} as Extra,
) {
  return {
    method: "get",
    path,
    summary,
    description,
    ...allowedBy(extra.needs ?? "read"),
    query,
    answer: { description: "What was found.", schema },
    refusals: FORBIDDEN,
    ...ADMIN,
    ...extra,
  } as const;
}

/** Describes what shows one thing. */
export function show<
  const Path extends string,
  Schema extends z.ZodObject,
  const Absent extends AbsentCode,
>(path: Path, summary: string, schema: Schema, absent: Absent) {
  return {
    method: "get",
    path,
    summary,
    description: "It is also shown if it has ended.",
    ...allowedBy("read"),
    answer: { description: "Its current state.", schema },
    refusals: refusalsOf(absent),
    absent,
    ...ADMIN,
  } as const;
}

/** Describes what changes or makes something. */
export function change<
  const Path extends string,
  Schema extends z.ZodObject,
  const Extra extends Partial<Omit<AdminOperation, keyof typeof ADMIN | "query" | "path">>,
>(path: Path, summary: string, description: string, schema: Schema, extra: Extra) {
  return {
    method: "post",
    path,
    summary,
    description,
    ...allowedBy(extra.needs ?? "operate"),
    answer: { description: "The state after the change.", schema },
    refusals: refusalsOf(extra.absent),
    ...ADMIN,
    ...extra,
  } as const;
}

function allowedBy(needs: Need) {
  return { needs, credentials: NEEDS[needs].roles };
}

function refusalsOf(absent: AbsentCode | undefined): readonly DocumentedRefusal[] {
  if (absent === undefined) return FORBIDDEN;
  return ["forbidden", { code: absent, status: 404 }];
}
