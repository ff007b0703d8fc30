import { randomUUID } from "node:crypto";
import { type Account, type SignedWebhook, signedWebhook } from "./firing.ts";

const PATH = "/webhooks/debugger";

/** An error of an account, as the debugger would post it to `publicUrl`; each is another one. */
export function signedError({ accountSid, authToken }: Account, publicUrl: string, code: number): SignedWebhook {
  return signedWebhook(errorOf(accountSid, code), { authToken, publicUrl, path: PATH });
}

function errorOf(accountSid: string, code: number): Record<string, string> {
  const unique = randomUUID().replaceAll("-", "");
  return {
    AccountSid: accountSid,
    ParentAccountSid: "",
    Sid: `NO${unique}`,
    Level: "ERROR",
    Timestamp: new Date().toISOString(),
    PayloadType: "application/json",
    Payload: JSON.stringify({
      resource_sid: `SM${unique}`,
      service_sid: null,
      error_code: String(code),
      more_info: { Msg: "Message delivery blocked", ErrorCode: String(code), LogLevel: "ERROR" },
      webhook: null,
    }),
  };
}
