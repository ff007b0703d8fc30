import { isIPv4, isIPv6 } from "node:net";
import type { Context } from "hono";
import { expandIPv6 } from "hono/utils/ipaddr";
import * as z from "zod/mini";

/** Where a request came from. */
export interface Source {
  /** What is counted as one: an IPv4 address, or the /64 that an IPv6 host has to itself and can choose from. */
  name: string;
  /** For logs. An address is personal data; of its network alone (IPv4 /24, IPv6 /48) a person can't be told. */
  prefix: string;
}

// Hono's own getConnInfo falls back to X-Forwarded-For, which whoever tries tokens could make up.
const OnLambda = z.object({ requestContext: z.object({ http: z.object({ sourceIp: z.string() }) }) });
const OnNode = z.object({ incoming: z.object({ socket: z.object({ remoteAddress: z.string() }) }) });

/** The address that API Gateway names in its event, or the socket's: never what a header claims. */
export function sourceOf({ env }: Context): Source {
  const address =
    OnLambda.safeParse(env).data?.requestContext.http.sourceIp ??
    OnNode.safeParse(env).data?.incoming.socket.remoteAddress;
  return address === undefined ? NOWHERE : sourceAt(address);
}

/** Everybody without an address counts as one. */
const NOWHERE: Source = { name: "unknown", prefix: "unknown" };

// A socket for both families shows IPv4 like this.
const IPV4_IN_IPV6 = /^::ffff:(?=\d+\.)/i;

export function sourceAt(text: string): Source {
  const address = text.replace(IPV4_IN_IPV6, "").replace(/%.*$/, "");
  if (isIPv4(address)) return { name: address, prefix: `${address.slice(0, address.lastIndexOf("."))}.0/24` };
  if (!isIPv6(address)) return NOWHERE;
  const groups = expandIPv6(address.toLowerCase()).split(":");
  return { name: `${groups.slice(0, 4).join(":")}::/64`, prefix: `${groups.slice(0, 3).join(":")}::/48` };
}
