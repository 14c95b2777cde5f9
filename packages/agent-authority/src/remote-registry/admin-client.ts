import {
  AuthorityClient,
  type AuthorityClientOptions,
  AuthorityError,
} from "@countersign/agent-identity/authority-client";
import type { z } from "zod";
import { AgentAuthorityError } from "../agent-authority-error.js";
import { fromWire, type Unwired } from "../schema/wire.js";

/** Sends requests to an admin API, with the token, and gives their answers as the registry says the same. */
export class AdminClient {
  readonly #client: AuthorityClient;
  readonly #token: string;

  constructor(options: AuthorityClientOptions, token: string) {
    this.#client = new AuthorityClient(options);
    this.#token = token;
  }

  /** Asks for a part of a list. */
  async list<Entries extends Record<string, unknown>>(
    path: string,
    schema: z.ZodType<Entries>,
    filter: object,
  ): Promise<UnwiredLists<Entries>> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(filter)) {
      if (value !== undefined) query.set(toParameter(name), String(value));
    }
    const text = query.size === 0 ? path : `${path}?${query}`;
    const answer = await this.#request("GET", text, schema);
    const members = Object.entries(answer).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map((entry) => fromWire(entry)) : value,
    ]);
    return fromWire(Object.fromEntries(members)) as UnwiredLists<Entries>;
  }

  /** Changes something that is there, or is made. */
  async post<Entry extends object>(
    path: string,
    schema: z.ZodType<Entry>,
    body?: object,
  ): Promise<Unwired<Entry>> {
    return fromWire(await this.#request("POST", path, schema, body));
  }

  /**
   * Looks something up, or changes what may not be there: it then resolves to `undefined`.
   *
   * @param options.within - the list that the thing would be in, where no code of its own says that it is not
   */
  async find<Entry extends object>(
    method: "GET" | "POST",
    path: string,
    schema: z.ZodType<Entry>,
    options: { readonly within?: string; readonly body?: object } = {},
  ): Promise<Unwired<Entry> | undefined> {
    try {
      return fromWire(await this.#request(method, path, schema, options.body));
    } catch (error) {
      if (!AuthorityError.is(error) || error.status !== 404) throw error;
      if (error.code === "unknown_agent" || error.code === "unknown_task") return undefined;
      if (options.within === undefined) throw error;
      // Something else than an admin API answers 404 as well: it has no such list.
      await this.#send("GET", `${options.within}?limit=1`);
      return undefined;
    }
  }

  async #request<Answer>(
    method: "GET" | "POST",
    path: string,
    schema: z.ZodType<Answer>,
    body?: object,
  ): Promise<Answer> {
    const parsed = schema.safeParse(await this.#send(method, path, body));
    if (parsed.success) return parsed.data;
    throw new AgentAuthorityError(
      "bad_response",
      "the answer is not of the form of an authority's admin API",
      { cause: parsed.error, hint: "check that the URL names the admin listener of an authority" },
    );
  }

  async #send(method: "GET" | "POST", path: string, body?: object): Promise<unknown> {
    const human = { accessToken: this.#token, proof: "bearer" } as const;
    return (await this.#client.request({ method, path, body, human })).body;
  }
}

/** The members of a list's answer, with their entries as the registry says them. */
type UnwiredLists<Lists> = Unwired<{
  [Name in keyof Lists]: Lists[Name] extends readonly (infer Entry)[]
    ? Unwired<Entry>[]
    : Lists[Name];
}>;

function toParameter(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
