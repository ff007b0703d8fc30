import * as z from "zod";
import { PolicyEntry } from "./policy-schema.ts";

/** JSON Schema, draft 7 (which editors know best), of a policy as it is written. */
export function policyJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(PolicyEntry, { target: "draft-7", io: "input" });
}
