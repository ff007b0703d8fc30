import type { MiddlewareHandler } from "hono";
import { permissionDenied, refuse } from "./errors.ts";
import type { TwilioEnv } from "./http.ts";

/**
 * Accounts, keys and auth tokens are closed to a standard key: "If your API key requires access to the /Accounts or
 * /Accounts/{SID}/Keys endpoints, then you'll need to use a Main key." https://www.twilio.com/docs/usage/api/keys
 */
export function noStandardKey(): MiddlewareHandler<TwilioEnv> {
  return async (context, next) =>
    context.get("credential") === "standard-key" ? refuse(context, permissionDenied) : next();
}

/**
 * "Main account API Keys are only available to access main account resources. Access to subaccount resources will be
 * denied." Only the parent's auth token reaches into a subaccount. https://www.twilio.com/docs/iam/api/subaccounts
 */
export function noKeyOfAnother(): MiddlewareHandler<TwilioEnv> {
  return async (context, next) => {
    const reachesOver = context.get("account") !== context.get("caller") && context.get("credential") !== "auth-token";
    return reachesOver ? refuse(context, permissionDenied) : next();
  };
}
