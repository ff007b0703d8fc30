import * as z from "zod/mini";
import type { ErrorCarrier, ErrorDelivery, ErrorDeliveryOptions } from "./error-delivery.ts";
import { type ErrorEvent, ErrorOrder, raiseError } from "./error-events.ts";
import { type Account, type DebuggerWebhook, PARENT_FORMS, SIGNERS, type World } from "./state.ts";

/** A debugger webhook to configure; all but the URL may be left out. */
export const DebuggerWebhookOrder = z.object({
  url: z.url({ protocol: /^https?$/ }),
  signedBy: z._default(z.enum(SIGNERS), "subaccount"),
  parentAccountSid: z._default(z.enum(PARENT_FORMS), "present"),
  subaccounts: z._default(z.boolean(), true),
});
export type DebuggerWebhookOrder = z.input<typeof DebuggerWebhookOrder>;

/** What can be done to Twilio's debugger behind its API's back; its webhooks have no API at all. */
export interface ErrorControls {
  /** On the parent account it also hears of the subaccounts, unless told otherwise; null removes it. */
  setDebuggerWebhook(accountSid: string, webhook: DebuggerWebhookOrder | null): void;
  debuggerWebhook(accountSid: string): DebuggerWebhook | null;
  /** @returns the events' SIDs. */
  raiseErrors(accountSid: string, order: ErrorOrder): string[];
  /** The last events of all accounts, oldest first. */
  errors(): ErrorEvent[];
  /** The last attempts to tell debugger webhooks and sinks of them, oldest first. */
  errorDeliveries(): ErrorDelivery[];
  resetErrorDeliveries(): void;
  /** Resolves when everything that was raised until then was delivered or given up. */
  errorsSettled(): Promise<void>;
}

export interface ErrorControlParts {
  world: World;
  carrier: ErrorCarrier;
  deliveries: ErrorDeliveryOptions["deliveries"];
  account: (sid: string) => Account;
}

export function errorControls({ world, carrier, deliveries, account }: ErrorControlParts): ErrorControls {
  return {
    setDebuggerWebhook: (sid, order) => {
      account(sid).debuggerWebhook = order === null ? null : z.parse(DebuggerWebhookOrder, order);
      world.changed();
    },
    debuggerWebhook: (sid) => account(sid).debuggerWebhook,
    raiseErrors: (sid, order) => {
      const { times } = z.parse(ErrorOrder, order);
      return Array.from({ length: times }, () => raiseError(world, account(sid), order).sid);
    },
    errors: () => world.errors.recent.items(),
    errorDeliveries: () => deliveries.items(),
    resetErrorDeliveries: () => deliveries.reset(),
    errorsSettled: () => carrier.settled(),
  };
}
