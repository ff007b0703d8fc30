import * as z from "zod/mini";
import { notUnderstood } from "./request.ts";
import type { Server } from "./server.ts";

/** What the server answered, in the shape that the command line reads. @throws Failure when it has another one. */
export function checked<T extends z.core.$ZodType>(schema: T, body: unknown, { url }: Server): z.output<T> {
  const result = z.safeParse(schema, body);
  if (result.success) return result.data;
  const where = result.error.issues.map(({ path }) => path.join(".") || "the answer");
  throw notUnderstood(url, `JSON with something else at ${where.join(", ")}`);
}
