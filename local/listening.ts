import { once } from "node:events";
import type { ServerType } from "@hono/node-server";

export interface Listening {
  url: string;
  port: number;
  /** Cuts open connections, and resolves when the port is free. */
  close(): Promise<void>;
}

/** Waits until `server` listens. @throws Node's own error when the port is taken. */
export async function listening(server: ServerType): Promise<Listening> {
  if (!server.listening) await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen on a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    async close() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
