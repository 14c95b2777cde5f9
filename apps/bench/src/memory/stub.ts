import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { pour } from "./pour.ts";

// An API that swallows what it is sent, and sends as much as `/source?bytes=` asks for.
const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://stub.invalid");
  if (pathname === "/source") {
    request.resume();
    pour(response, Number(searchParams.get("bytes")));
    return;
  }
  let bytes = 0;
  for await (const part of request) bytes += (part as Buffer).length;
  response.end(String(bytes));
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
