import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import * as z from "zod/mini";
import { type Listening, listening } from "../local/listening.ts";

const GetParameter = z.object({ Name: z.string() });

/** As much of SSM Parameter Store as reading a SecureString takes, so that handlers get their secrets as on AWS. */
export async function startParameterStore(parameters: Readonly<Record<string, string>>): Promise<Listening> {
  const server = createServer(async (incoming, outgoing) => {
    const { Name } = z.parse(GetParameter, await json(incoming));
    const Value = parameters[Name];
    const answer = Value === undefined ? { __type: "ParameterNotFound" } : { Parameter: { Name, Value } };
    outgoing.writeHead(Value === undefined ? 400 : 200, { "content-type": "application/x-amz-json-1.1" });
    outgoing.end(JSON.stringify(answer));
  });
  return listening(server.listen(0, "127.0.0.1"));
}
