import * as z from "zod/mini";
import { systemClock as clock } from "../lib/clock.ts";
import { readConfig, UsageTriggerEnv } from "../lib/config.ts";
import { TollbreakerError } from "../lib/errors.ts";
import { loadPolicy } from "../lib/policy/load-policy.ts";
import type { Policy } from "../lib/policy/policy.ts";
import { secretReaders } from "../lib/secrets.ts";
import { politeClient } from "../lib/sweep/polite-client.ts";
import { type AccountList, listAccounts } from "../lib/twilio/accounts.ts";
import { type TwilioClient, twilioClient } from "../lib/twilio/client.ts";
import { wordsFor } from "../lib/twilio/refusals.ts";
import { EXIT, Failure } from "./failure.ts";
import { type Environment, localRun } from "./server.ts";

/** The Twilio that is watched, with the parent's credentials, and where Twilio reaches us. */
export interface TwilioAccess {
  /** For many accounts at once. */
  twilio: TwilioClient;
  /** The parent's. */
  authToken: string;
  /** `<apiUrl>/<product>` is Twilio's `https://<product>.twilio.com`; undefined for the real one. */
  apiUrl: string | undefined;
  publicUrl: string;
  /** POLICY_FILE; undefined for the project's own. */
  policyFile: string | undefined;
  /** Whether it is the simulated Twilio of the local run. */
  isLocal: boolean;
}

/** Requests under way at the same moment: Twilio publishes no number, and others use the same account. */
const AT_ONCE = 10;
/** A run over 10,000 accounts takes some minutes; beyond this something hangs. */
const LONGEST_MS = 60 * 60_000;

/**
 * The Twilio of the environment, or else the simulated one of the local run.
 * @throws Failure when neither is there, or the environment names half of one.
 */
export async function findTwilio(environment: Environment): Promise<TwilioAccess> {
  return environment["TWILIO_ACCOUNT_SID"] ? named(environment) : local(environment);
}

const NamedTwilio = z.pick(UsageTriggerEnv, { PUBLIC_URL: true, TWILIO_ACCOUNT_SID: true, TWILIO_API_URL: true });

async function named(environment: Environment): Promise<TwilioAccess> {
  const { PUBLIC_URL, TWILIO_ACCOUNT_SID, TWILIO_API_URL } = configured(environment);
  const authToken = await secretReaders(environment, ["TWILIO_AUTH_TOKEN"])("TWILIO_AUTH_TOKEN")();
  if (authToken === undefined) throw tokenMissing();
  return accessOf({
    accountSid: TWILIO_ACCOUNT_SID,
    authToken,
    apiUrl: TWILIO_API_URL,
    publicUrl: PUBLIC_URL,
    policyFile: environment["POLICY_FILE"] || undefined,
    isLocal: false,
  });
}

/** @throws Failure `api-key-given`, `config-invalid` */
function configured(environment: Environment) {
  if (environment["TWILIO_ACCOUNT_SID"]?.startsWith("SK")) throw apiKeyGiven();
  try {
    return readConfig(NamedTwilio, environment);
  } catch (thrown) {
    if (!(thrown instanceof TollbreakerError)) throw thrown;
    const { code, expected = "", got = "", fix = "" } = thrown;
    throw new Failure(EXIT.usage, code, "The environment cannot be used.", { expected, got, fix, cause: thrown });
  }
}

function apiKeyGiven(): Failure {
  return new Failure(EXIT.usage, "api-key-given", "TWILIO_ACCOUNT_SID holds the SID of an API key.", {
    expected: "the parent's Account SID (AC...), with its auth token: no API key reaches the parent's subaccounts",
    fix: "set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to the parent account's",
  });
}

function tokenMissing(): Failure {
  return new Failure(EXIT.usage, "twilio-auth-token-missing", "The parent account's auth token is not set.", {
    expected: "TWILIO_AUTH_TOKEN, or TWILIO_AUTH_TOKEN_PARAMETER naming an SSM SecureString that exists",
    fix: "set it beside TWILIO_ACCOUNT_SID; without both, the local run is used",
  });
}

async function local(environment: Environment): Promise<TwilioAccess> {
  const { url, publicUrl = url, simulatorUrl, simulatedParent, policyFile } = await localRun(environment);
  if (simulatorUrl === null || simulatedParent === undefined) throw notSimulated();
  return accessOf({
    ...simulatedParent,
    apiUrl: simulatorUrl,
    publicUrl,
    policyFile: environment["POLICY_FILE"] || policyFile,
    isLocal: true,
  });
}

function notSimulated(): Failure {
  return new Failure(EXIT.usage, "twilio-not-named", "The local run talks to a Twilio that is not simulated.", {
    expected: "TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and PUBLIC_URL, as that run has them",
    fix: "set them for this command, too",
  });
}

function accessOf({ accountSid, ...rest }: Omit<TwilioAccess, "twilio"> & { accountSid: string }): TwilioAccess {
  const { authToken, apiUrl } = rest;
  const plain = twilioClient({ accountSid, authToken: async () => authToken, apiUrl });
  const until = { clock, deadline: clock.now().getTime() + LONGEST_MS };
  return { ...rest, twilio: unhurried(politeClient(plain, { atOnce: AT_ONCE, until })) };
}

/** A person waits rather than begins anew: for this long a request comes back after "too many requests". */
const BUSY_MS = 90_000;

/** The polite client gives up after a few tries, because a sweep comes again by itself. Nobody comes again here. */
function unhurried(twilio: TwilioClient): TwilioClient {
  return {
    accountSid: twilio.accountSid,
    async send(request) {
      const until = Date.now() + BUSY_MS;
      for (;;) {
        const answer = await twilio.send(request);
        const isBusy = answer.kind === "failed" && answer.failure.status === 429;
        if (!isBusy || Date.now() >= until) return answer;
      }
    },
  };
}

/** @throws TollbreakerError `policy-unreadable`, `policy-invalid` */
export function policyOf({ policyFile }: TwilioAccess): Policy {
  return loadPolicy({ POLICY_FILE: policyFile });
}

const LISTING_TIMEOUT_MS = 20_000;

/** All subaccounts, closed ones included. @throws Failure when Twilio does not list them, or not all of them. */
export async function listSubaccounts({
  twilio,
}: Pick<TwilioAccess, "twilio">): Promise<Pick<AccountList, "accounts" | "setAside">> {
  const answer = await listAccounts(twilio, LISTING_TIMEOUT_MS);
  const failure = answer.kind === "failed" ? answer.failure : answer.body.incomplete;
  if (answer.kind === "ok" && failure === null) {
    const { accounts, setAside } = answer.body;
    return { accounts: accounts.filter(({ sid }) => sid !== twilio.accountSid), setAside };
  }
  throw new Failure(EXIT.failed, "accounts-unreadable", "Twilio did not list the subaccounts.", {
    ...(failure !== null && { got: wordsFor(failure) }),
    fix: "`tollbreaker doctor` looks closer",
  });
}
