import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";

/** Why Twilio says no: https://www.twilio.com/docs/api/errors */
export interface Refusal {
  status: ContentfulStatusCode;
  code: number;
  message: string;
}

// Twilio documents the codes of a refused status update but not their HTTP status; 400 is what its other refusals have.
const refusal = (status: ContentfulStatusCode, code: number, message: string): Refusal => ({ status, code, message });

export const unauthenticated = refusal(401, 20003, "Authenticate");
export const permissionDenied = refusal(401, 20003, "Permission Denied");
export const notFound = (path: string) => refusal(404, 20404, `The requested resource ${path} was not found`);
export const invalidParameter = (why: string) => refusal(400, 20001, why);
export const invalidUrl = (name: string) => refusal(400, 21502, `${name} is not a valid URL`);
export const secondaryExists = invalidParameter("A secondary Auth Token exists already: promote or delete it first.");
export const invalidStatus = refusal(400, 21475, "Unable to update Status, invalid Status.");
export const parentSuspended = refusal(400, 21476, "Unable to update Status, parent account is suspended.");
export const parentUpdate = refusal(
  400,
  21477,
  "Unable to update Status for parent accounts, status updates restricted to subaccounts only.",
);
export const heldByTwilio = refusal(400, 21478, "Unable to update Status, subaccount has been suspended by Twilio.");
export const alreadyClosed = refusal(
  400,
  21479,
  "Unable to update Status, subaccount is closed and cannot be reopened.",
);
export const callNotInProgress = refusal(400, 21220, "Call is not in-progress. Cannot redirect.");
export const tooManyRequests = refusal(429, 20429, "Too Many Requests");
export const internalError = refusal(500, 20500, "An internal server error has occurred");
export const unavailable = refusal(503, 20503, "Service is unavailable. Please try again");

export function refuse(context: Context, { status, code, message }: Refusal): Response {
  return context.json({ code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, status);
}
