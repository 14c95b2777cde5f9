const HEAD = `# Integrations

What the tests of \`apps/sdks\` find for each way in which an agent calls an API, through a gateway and with an authority. This file is written by them
(\`TEST_EFFORT=full vitest run test/integrations.test.ts --update\` in \`apps/sdks\`). How each is set up is in [clients](clients.md).

A key stands in the environment, in \`OPENAI_API_KEY\`, \`ANTHROPIC_API_KEY\` and \`ANTHROPIC_AUTH_TOKEN\`: it must not arrive at the gateway in any test.
From the fourth column on, each cell holds for a call that is answered whole and for one that is streamed, except for **task revoked in a stream**. A
name is the error that the call ends with. In the columns behind that one its message has the reason of the refusal, and the code is in the error, or
where \`refusalOf\` finds it.

- **ended by its caller**: by an \`AbortSignal\`; a process is killed. The request to the API ends too.
- **task revoked**: between two calls of one client.
- **task revoked in a stream**: while a streamed answer is open. The gateway looks at it again every \`recheckMs\`, finds the task revoked, breaks the
  answer off and ends the request to the API; its audit entry has status 200 and \`task_revoked\`. The client learns that the connection ended, and not
  why. The request is not sent again. The next call of the client is answered in a new task.
  - **waits for its own time-out**: MCP's client does not end a call whose stream broke off, unless its caller does. Its time-out is 60 seconds.
  - **ends as if it were whole**: urllib ends its lines there without an error. A stream is whole if it ends with \`[DONE]\`.
- **agent revoked**: \`agent_revoked\`, between two calls.
- **authority down**: \`unreachable\` or \`timeout\`, before the first task is registered; nothing is sent.
- **no login**: \`not_logged_in\`; nothing is sent.
- **Mastra** itself is not installed (130 MB): its rows are the calls that its agents make of a model.

`;

// The names are those of clients in `apps/cli/interop`. A test there compares them.
const TAIL = `
## Child processes

Made by \`pnpm interop\`, with the programs as their makers publish them: the one that the Claude Agent SDK brings, the binary of Codex, and Python. Each
is the child of a process that holds other keys and has called \`proxyEnv\`. A wire tap stands before the gateway, which is \`countersign gateway\`.

- **one assertion, no other credential**: of every request, by the tap and the gateway's audit file. All are of one task.
- **streamed**: the child shows the first piece of an answer before the API has sent the rest.

| child | one assertion, no other credential | streamed | the proxy ends with its process |
|---|---|---|---|
| Claude Agent SDK 0.3.332, by \`proxyEnv\` | yes | yes | yes |
| Codex 0.171, by \`proxyEnv\` | yes | yes | yes |
| urllib in a Python process, by \`proxyEnv\` | yes | yes | yes |
`;

/** What the tests found, by integration and scenario. */
export class IntegrationTable {
  readonly #rows: readonly string[];
  readonly #columns: readonly string[];
  readonly #cells = new Map<string, Set<string>>();

  constructor(rows: readonly string[], columns: readonly string[]) {
    this.#rows = rows;
    this.#columns = columns;
  }

  /** Adds what one test found. */
  set(row: string, column: string, found: string): void {
    const key = `${row}\n${column}`;
    const cell = this.#cells.get(key) ?? new Set();
    this.#cells.set(key, cell.add(found));
  }

  /** The lines of the integrations of which every scenario was run, by integration. */
  rows(): ReadonlyMap<string, string> {
    const lines = new Map<string, string>();
    for (const row of this.#rows) {
      const cells = this.#columns.map((column) => this.#cells.get(`${row}\n${column}`));
      const texts = cells.flatMap((cell) => (cell ? [[...cell].toSorted().join(", ")] : []));
      if (texts.length === cells.length) lines.set(row, lineOf([row, ...texts]));
    }
    return lines;
  }

  /** The document, with the rows so far. */
  text(): string {
    const columns = ["integration", ...this.#columns];
    const rule = `|${"---|".repeat(columns.length)}`;
    return `${[`${HEAD}${lineOf(columns)}`, rule, ...this.rows().values()].join("\n")}\n${TAIL}`;
  }
}

function lineOf(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
