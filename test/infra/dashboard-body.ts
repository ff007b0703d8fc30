import { createRequire } from "node:module";
import * as z from "zod/mini";

const Substituted = z.object({ "Fn::Sub": z.string() });

/** The dashboard as infra/dashboard.cjs gives it to Serverless: JSON, with CloudFormation's `${...}` in it. */
export function dashboardBody(): string {
  return z.parse(Substituted, createRequire(import.meta.url)("../../infra/dashboard.cjs"))["Fn::Sub"];
}
