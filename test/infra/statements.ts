import * as z from "zod/mini";
import type { Resource, Template } from "./packaged.ts";

const Statement = z.looseObject({ Effect: z.enum(["Allow", "Deny"]), Action: z.unknown() });
export type Statement = z.infer<typeof Statement>;
const Document = z.object({ Statement: z.array(Statement) });
const Role = z.object({
  AssumeRolePolicyDocument: Document,
  Policies: z.array(z.object({ PolicyDocument: Document })),
  ManagedPolicyArns: z.optional(z.array(z.string())),
});
const RunsAs = z.object({ Role: z.object({ "Fn::GetAtt": z.tuple([z.string(), z.literal("Arn")]) }) });

/** The logical id of the role that the function `functionId` runs as. */
export function roleIdOf({ Resources }: Template, functionId: string): string {
  return z.parse(RunsAs, Resources[functionId]?.Properties).Role["Fn::GetAtt"][0];
}

/** A role's own statements, who may assume it, and AWS's policies it borrows. */
export function roleOf({ Resources }: Template, roleId: string) {
  const role = z.parse(Role, Resources[roleId]?.Properties);
  return {
    statements: role.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
    trust: role.AssumeRolePolicyDocument.Statement,
    managed: role.ManagedPolicyArns ?? [],
  };
}

/** The statements of a policy that sits on a queue, a topic or a bucket. */
export function statementsOn(resource: Resource | undefined): Statement[] {
  return z.parse(Document, resource?.Properties["PolicyDocument"]).Statement;
}

/** Every policy statement of the template, wherever it stands. */
export function allStatements(value: unknown): Statement[] {
  if (Array.isArray(value)) return value.flatMap(allStatements);
  if (typeof value !== "object" || value === null) return [];
  const document = z.safeParse(Document, value);
  if (document.success) return document.data.Statement;
  return Object.values(value).flatMap(allStatements);
}

/** A statement's actions, one or many, as a list. */
export function actionsOf({ Action }: Statement): string[] {
  return z.parse(z.array(z.string()), [Action].flat());
}
