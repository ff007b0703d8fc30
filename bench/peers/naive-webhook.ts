import type { SQS } from "@aws-sdk/client-sqs";
import type { SSM } from "@aws-sdk/client-ssm";
import type { APIGatewayProxyEventV2 } from "aws-lambda";
import twilio from "twilio";
import { z } from "zod";

/**
 * The usage-trigger function as one writes it without a thought for cold starts: it verifies with the subaccount's own
 * token, reads the ten fields, stores them in the inbox. Left out is what ours does beyond that: look-ups bounded and
 * remembered, rotated tokens, limits on what comes in, kept unreadable firings, logs.
 */
const Firing = z.object({
  AccountSid: z.string().regex(/^AC[0-9a-fA-F]{32}$/),
  UsageTriggerSid: z.string().regex(/^UT[0-9a-fA-F]{32}$/),
  DateFired: z.string(),
  Recurring: z.string(),
  UsageCategory: z.string(),
  TriggerBy: z.enum(["count", "usage", "price"]),
  TriggerValue: z.string().regex(/^\d+(\.\d+)?$/),
  CurrentValue: z.string().regex(/^\d+(\.\d+)?$/),
  UsageRecordUri: z.string(),
  IdempotencyToken: z.string(),
});

const Environment = z.object({
  PUBLIC_URL: z.string().url(),
  TWILIO_ACCOUNT_SID: z.string(),
  TWILIO_AUTH_TOKEN_PARAMETER: z.string(),
  TWILIO_API_URL: z.string().url(),
  INBOX_QUEUE_URL: z.string().url(),
});

export interface Clients {
  sqs: SQS;
  ssm: SSM;
}

export function naiveWebhook({ sqs, ssm }: Clients) {
  const environment = Environment.parse(process.env);
  const httpClient = new SimulatedTwilio(environment.TWILIO_API_URL);

  async function authTokenOf(accountSid: string): Promise<string> {
    const names = { Names: [environment.TWILIO_AUTH_TOKEN_PARAMETER], WithDecryption: true };
    const { Parameters } = await ssm.getParameters(names);
    const client = twilio(environment.TWILIO_ACCOUNT_SID, Parameters?.[0]?.Value, { httpClient });
    const account = await client.api.v2010.accounts(accountSid).fetch();
    return account.authToken;
  }

  async function store(firing: z.infer<typeof Firing>): Promise<void> {
    await sqs.sendMessage({
      QueueUrl: environment.INBOX_QUEUE_URL,
      MessageBody: JSON.stringify(firing),
      MessageGroupId: firing.AccountSid,
      MessageDeduplicationId: firing.IdempotencyToken,
    });
  }

  return async ({ body = "", headers, rawPath }: APIGatewayProxyEventV2): Promise<{ statusCode: number }> => {
    const form = Object.fromEntries(new URLSearchParams(body));
    const authToken = await authTokenOf(form["AccountSid"] ?? "");
    const signature = headers["x-twilio-signature"] ?? "";
    const isGenuine = twilio.validateRequest(authToken, signature, environment.PUBLIC_URL + rawPath, form);
    if (!isGenuine) return { statusCode: 403 };
    await store(Firing.parse(form));
    return { statusCode: 204 };
  };
}

/** Twilio's client has no setting for another base URL than Twilio's. */
class SimulatedTwilio extends twilio.RequestClient {
  constructor(url: string) {
    super();
    this.axios.interceptors.request.use((request) => ({
      ...request,
      url: request.url?.replace("https://api.twilio.com", `${url}/api`) ?? url,
    }));
  }
}
