// A Lambda function with a function URL, of the auth type NONE: with AWS_IAM, `Authorization` is AWS's
import { createVerifier } from "@countersign/agent-assertion";
import { withAgent } from "@countersign/agent-assertion/handler";
import { remoteDirectory } from "@countersign/agent-assertion/remote-directory";

/** What is used of the event of a function URL. */
interface FunctionUrlEvent {
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly domainName: string;
    readonly http: { readonly method: string; readonly sourceIp: string };
  };
}

const authority = process.env.AUTHORITY ?? "http://127.0.0.1:4600";
const verifier = createVerifier({ directory: remoteDirectory(authority) });

const answer = withAgent<[FunctionUrlEvent]>(
  verifier,
  async (_request, agent) => {
    return Response.json({
      agent: agent.agentRuntimeId,
      task: agent.taskId,
      account: agent.accountId,
    });
  },
  { clientAddress: (_request, event) => event.requestContext.http.sourceIp },
);

function requestOf(event: FunctionUrlEvent): Request {
  const { rawPath, rawQueryString, headers, requestContext } = event;
  const { domainName, http } = requestContext;
  const query = rawQueryString === "" ? "" : `?${rawQueryString}`;
  const body = Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8");
  const hasBody = body.length > 0 && !["GET", "HEAD"].includes(http.method);
  return new Request(`https://${domainName}${rawPath}${query}`, {
    method: http.method,
    headers,
    ...(hasBody ? { body } : {}),
  });
}

export async function handler(event: FunctionUrlEvent) {
  const response = await answer(requestOf(event), event);
  const headers = Object.fromEntries(response.headers);
  return { statusCode: response.status, headers, body: await response.text() };
}
