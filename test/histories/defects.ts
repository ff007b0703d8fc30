import * as z from "zod/mini";
import type { Inbox } from "../../lib/inbox/inbox.ts";
import { FREE_PASS } from "../../lib/response/keep-brake.ts";
import type { Responder } from "../../lib/response/responder.ts";
import type { TwilioClient } from "../../lib/twilio/client.ts";
import type { Defect, Receive } from "./core.ts";

/** One small fault, put into the code under test on purpose. */
export interface SeededDefect {
  /** What the code then does. */
  name: string;
  /** Of the monitor that has to find it. */
  code: string;
  defect: Defect;
}

const DONE = { batchItemFailures: [] };

export const DEFECTS: readonly SeededDefect[] = [
  {
    name: "forgets the open incident",
    code: "given-up",
    defect: inResponder(({ store }) => ({
      store: { ...store, recall: async (...about) => ({ ...(await store.recall(...about)), openIncidentId: null }) },
    })),
  },
  {
    name: "opens incidents without claiming them",
    code: "not-claimed",
    defect: inResponder(({ store }) => ({ store: { ...store, claim: async () => {} } })),
  },
  {
    name: "does not remember that an account came back",
    code: "old-news",
    defect: inResponder(({ store }) => ({
      store: {
        ...store,
        recall: async (...about) => ({ ...(await store.recall(...about)), lastReactivatedAt: null, passed: {} }),
      },
    })),
  },
  {
    name: "drops alerts",
    code: "not-published",
    defect: inResponder(() => ({ alerts: { publish: async () => ({ messageId: "" }) } })),
  },
  {
    name: "publishes each alert twice",
    code: "told-twice",
    defect: inResponder(({ alerts }) => ({
      alerts: { publish: async (alert) => (await alerts.publish(alert)) && alerts.publish(alert) },
    })),
  },
  {
    name: "has a brake that is always free",
    code: "brake",
    defect: inResponder(({ brake }) => ({
      brake: { ...brake, permitFor: () => FREE_PASS, permitAlone: () => FREE_PASS },
    })),
  },
  {
    name: "suspends exempt accounts",
    code: "exempt",
    defect: inResponder(({ policy }) => ({ policy: { ...policy, exempt: [] } })),
  },
  {
    name: "suspends in observe mode",
    code: "observe",
    defect: inResponder(({ policy }) => ({ policy: { ...policy, mode: "enforce" } })),
  },
  {
    name: "closes accounts for good",
    code: "closed",
    defect: inResponder(({ twilio }) => ({ twilio: closing(twilio) })),
  },
  {
    name: "believes a suspension that was not read back",
    code: "not-read-back",
    defect: inResponder(({ twilio }) => ({ twilio: believing(twilio) })),
  },
  {
    name: "guards an account that came back with the wrong values",
    code: "unguarded",
    defect: inResponder(({ policy }) => ({
      policy: { ...policy, probation: { ...policy.probation, share: "2" } },
    })),
  },
  {
    name: "writes an account's token to the log",
    code: "secret",
    defect: inResponder(({ markOf, log }) => ({
      markOf(accountSid, authToken) {
        log.info("token-marked", { accountSid, authToken });
        return markOf(accountSid, authToken);
      },
    })),
  },
  {
    name: "forgets what it parks",
    code: "unanswered",
    defect: inResponder(({ followUps }) => ({
      followUps: {
        ...followUps,
        put: async (one, delay) => (one.kind === "parked" ? undefined : followUps.put(one, delay)),
      },
    })),
  },
  {
    name: "reads something before it looks at its messages",
    code: "slow-stop",
    defect: {
      fromInbox:
        (receive, { clock }) =>
        async (event, context) => {
          await clock.sleep(2500);
          return receive(event, context);
        },
    },
  },
  {
    name: "says done before it is",
    code: "unanswered",
    defect: {
      fromInbox: (receive) => async (event, context) => {
        void receive(event, context).catch(() => undefined);
        return DONE;
      },
    },
  },
  { name: "drops operators' commands", code: "unanswered", defect: { fromInbox: withoutCommands } },
  {
    name: "answers 204 for what the inbox did not take",
    code: "not-stored",
    defect: { door: (door) => ({ ...door, inbox: { put: (...sent) => door.inbox.put(...sent).catch(() => {}) } }) },
  },
  {
    name: "stores each webhook for itself",
    code: "deep-queue",
    defect: { door: (door) => ({ ...door, inbox: eachForItself(door.inbox) }) },
  },
  {
    name: "checks no signature",
    code: "unsigned-taken",
    defect: { door: (door) => ({ ...door, tokens: { ...door.tokens, check: async () => ({ kind: "signed" }) } }) },
  },
];

function inResponder(broken: (responder: Responder) => Partial<Responder>): Defect {
  return { responder: (responder) => ({ ...responder, ...broken(responder) }) };
}

function closing(twilio: TwilioClient): TwilioClient {
  return {
    ...twilio,
    send: (request) =>
      twilio.send(request.form?.["Status"] === "suspended" ? { ...request, form: { Status: "closed" } } : request),
  };
}

/** Whatever Twilio says, or does not, it takes an account that it asked for as suspended. */
function believing(twilio: TwilioClient): TwilioClient {
  const asked = new Set<string>();
  return {
    ...twilio,
    async send(request) {
      const { path, form, answer } = request;
      const isAsked = form?.["Status"] === "suspended";
      if (form !== undefined || !asked.delete(path)) {
        if (isAsked) asked.add(path);
        return twilio.send(request);
      }
      const sid = /AC[0-9a-f]{32}/.exec(path)?.[0] ?? "";
      const resource = { sid, owner_account_sid: twilio.accountSid, friendly_name: "", status: "suspended" };
      return { kind: "ok", body: z.parse(answer, resource) };
    },
  };
}

function eachForItself(inbox: Inbox): Inbox {
  return { put: (message, options) => inbox.put(message, { ...options, standsFor: message.id }) };
}

function withoutCommands(receive: Receive): Receive {
  return ({ Records }, context) =>
    receive({ Records: Records.filter(({ body }) => !body.includes('"operator":')) }, context);
}
