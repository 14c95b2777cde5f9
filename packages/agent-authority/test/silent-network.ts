import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A network between an authority and its database that can go silent: it drops everything, and neither side gets an error. */
export interface SilentNetwork {
  /** The database's URL through it. */
  readonly url: string;
  /** What clients have sent so far. */
  readonly sent: string;
  /** From now on nothing comes through, on connections that are there and on new ones, which are accepted. */
  silence(): void;
  /** Goes silent before it passes on what next holds this text. */
  silenceAt(text: string): void;
  /** New connections come through again. Those that were there stay silent. */
  restore(): void;
}

/** Starts a network to the server of a database's URL. It ends with the test. */
export async function startSilentNetwork(database: string): Promise<SilentNetwork> {
  const target = new URL(database);
  const ends = new Set<Socket>();
  let isSilent = false;
  let stop: { readonly text: string; readonly from: number } | undefined;
  let sent = "";

  function pass(from: Socket, to: Socket, mayPass: (data: Buffer) => boolean): void {
    let isOver = false;
    from.on("data", (data) => {
      isOver ||= isSilent || !mayPass(data);
      if (!isOver) to.write(data);
    });
    from.on("error", () => {}).on("close", () => to.destroy());
    ends.add(from);
  }

  const server = createServer((client) => {
    const host = target.searchParams.get("host") ?? target.hostname;
    const port = Number(target.port || 5432);
    const backend = connect(
      host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port },
    );
    pass(client, backend, (data) => {
      sent += data.toString("latin1");
      isSilent ||= stop !== undefined && sent.includes(stop.text, stop.from);
      return !isSilent;
    });
    pass(backend, client, () => true);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    for (const end of ends) end.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const through = new URL(database);
  through.searchParams.delete("host");
  through.hostname = "127.0.0.1";
  through.port = `${(server.address() as AddressInfo).port}`;
  return {
    url: through.href,
    get sent() {
      return sent;
    },
    silence() {
      isSilent = true;
    },
    silenceAt(text) {
      stop = { text, from: sent.length };
    },
    restore() {
      isSilent = false;
      stop = undefined;
    },
  };
}
