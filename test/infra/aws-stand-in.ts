import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";

export interface AwsStandIn {
  /** What makes Serverless's AWS clients talk to it. */
  environment: Readonly<Record<string, string>>;
  /** The CloudFormation actions, and the S3 addresses, that were asked for, in order. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Answers as AWS does when asked what is deployed, and what the deployment bucket keeps of an earlier deployment. Whatever
 * would change something it refuses: tests see by `requests` that Serverless got so far. It has no table.
 *
 * @param deployed the template of the stack; null: there is no such stack
 * @param kept the template of each earlier deployment that has been
 */
export async function startAwsStandIn({ deployed, kept }: { deployed: unknown; kept: unknown }): Promise<AwsStandIn> {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const asked = await askedOf(request);
    requests.push(asked);
    const answer = answerTo(asked, deployed, kept);
    const type = asked === "DescribeTable" ? "application/x-amz-json-1.0" : "text/xml";
    response.writeHead(answer === undefined ? 400 : 200, { "content-type": type });
    response.end(answer ?? refusalOf(asked));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return {
    requests,
    environment: {
      AWS_ENDPOINT_URL: `http://127.0.0.1:${address.port}`,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function askedOf(request: IncomingMessage): Promise<string> {
  const body = await text(request);
  const [, target] = String(request.headers["x-amz-target"]).split(".");
  return (
    target ?? new URLSearchParams(body).get("Action") ?? `${request.method} ${decodeURIComponent(request.url ?? "")}`
  );
}

function answerTo(asked: string, deployed: unknown, kept: unknown): string | undefined {
  if (asked === "DescribeStackResource")
    return result(asked, "<StackResourceDetail><PhysicalResourceId>bucket</PhysicalResourceId></StackResourceDetail>");
  if (asked === "GetTemplate" && deployed !== null)
    return result(asked, `<TemplateBody>${escaped(JSON.stringify(deployed))}</TemplateBody>`);
  return /^GET .*\/compiled-cloudformation-template\.json\b/.test(asked) ? JSON.stringify(kept) : undefined;
}

function result(action: string, content: string): string {
  const namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/";
  return `<${action}Response xmlns="${namespace}"><${action}Result>${content}</${action}Result></${action}Response>`;
}

function refusalOf(asked: string): string {
  if (asked === "DescribeTable") return JSON.stringify({ __type: "com.amazonaws.dynamodb#ResourceNotFoundException" });
  const message = asked === "GetTemplate" ? "Stack with id tollbreaker-test does not exist" : "not here";
  return `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`;
}

function escaped(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
