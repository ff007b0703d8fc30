import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import * as z from "zod/mini";
import { type Listening, listening } from "../local/listening.ts";

const GetParameters = z.object({ Names: z.array(z.string()) });

/** As much of SSM Parameter Store as reading SecureStrings takes, so that handlers get their secrets as on AWS. */
export async function startParameterStore(
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<Listening> {
  const server = createServer(async (incoming, outgoing) => {
    const { Names } = z.parse(GetParameters, await json(incoming));
    const isThere = (name: string) => parameters[name] !== undefined;
    const Parameters = Names.filter(isThere).map((Name) => ({ Name, Value: parameters[Name] }));
    const InvalidParameters = Names.filter((name) => !isThere(name));
    outgoing.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
    outgoing.end(JSON.stringify({ Parameters, InvalidParameters }));
  });
  return listening(server.listen(0, "127.0.0.1"));
}
