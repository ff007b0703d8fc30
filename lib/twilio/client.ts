import * as z from "zod/mini";
import { messageOf, TollbreakerError } from "../errors.ts";
import { failureOf, noAnswer, type TwilioFailure } from "./failures.ts";

/**
 * Twilio's REST API, as far as we use it: one request, one answer, no retries of its own, because each caller knows
 * best how long it may go on. Twilio's own SDK would make a cold start three times as long: docs/performance.md.
 */
export interface TwilioClient {
  /** The account whose credentials are used. */
  readonly accountSid: string;
  send<T extends z.core.$ZodType>(request: TwilioRequest<T>): Promise<Answer<z.output<T>>>;
}

export interface TwilioRequest<T extends z.core.$ZodType> extends Asked {
  /** What a 2xx answer must look like. */
  answer: T;
}

interface Asked {
  /** Whose host it is: `https://<product>.twilio.com`; `api` when left out. */
  product?: Product;
  /** From `/2010-04-01/` or `/v1/` on, with its query; also a next page's address as Twilio gave it. */
  path: string;
  /** Sent as a form POST; without it the request is a GET. */
  form?: Readonly<Record<string, string>>;
  /** Where it is neither a GET nor the POST of a form. A DELETE is answered with an empty body, which is undefined. */
  method?: "DELETE" | "POST";
  timeoutMs: number;
}

/** All but `api` take an account's own credentials only, not its parent's. */
type Product = "api" | "accounts" | "iam" | "voice";

export type Answer<T> = { kind: "ok"; body: T } | { kind: "failed"; failure: TwilioFailure };

/** @param wanted `not` is the token that Twilio refused: whether there is another one by now is looked up. */
type AuthToken = (wanted?: { not: string }) => Promise<string | undefined>;

export interface TwilioClientOptions {
  accountSid: string;
  authToken: AuthToken;
  /** Another API base than Twilio's: `https://<product>.twilio.com/<path>` becomes `<apiUrl>/<product>/<path>`. */
  apiUrl?: string | undefined;
}

export function twilioClient({ accountSid, authToken, apiUrl }: TwilioClientOptions): TwilioClient {
  const baseOf = (product: Product) =>
    apiUrl === undefined ? `https://${product}.twilio.com` : `${apiUrl.replace(/\/+$/, "")}/${product}`;

  async function exchange(request: Asked): Promise<Exchange> {
    const token = await knownToken(authToken);
    // From here on: a token that was slow to come must not cost Twilio its time.
    const signal = AbortSignal.timeout(request.timeoutMs);
    const first = await sendWith(request, token, signal);
    const other = isUnauthorized(first) ? await otherToken(authToken, token) : undefined;
    return other === undefined ? first : sendWith(request, other, signal);
  }

  async function sendWith(request: Asked, token: string, signal: AbortSignal): Promise<Exchange> {
    const { product = "api", path, form, method } = request;
    const credentials = Buffer.from(`${accountSid}:${token}`).toString("base64");
    const response = await fetch(urlOf(baseOf(product), path), {
      ...(form !== undefined && { method: "POST", body: new URLSearchParams(form) }),
      ...(method !== undefined && { method }),
      headers: { authorization: `Basic ${credentials}`, accept: "application/json" },
      redirect: "error",
      signal,
    });
    return { status: response.status, isOk: response.ok, body: parseJson(await response.text()) };
  }

  return {
    accountSid,
    async send({ answer, ...request }) {
      try {
        const { status, isOk, body } = await exchange(request);
        return isOk ? understood(body, answer) : { kind: "failed", failure: failureOf(status, body) };
      } catch (error) {
        // A value like any other failure: an incident must be able to say why its account was not suspended.
        return { kind: "failed", failure: noAnswer(reasonOf(error)) };
      }
    },
  };
}

async function knownToken(authToken: AuthToken): Promise<string> {
  const token = await authToken();
  if (token !== undefined && token !== "") return token;
  throw new TollbreakerError("twilio-auth-token-missing", "The parent account's auth token is not configured.", {
    expected: "TWILIO_AUTH_TOKEN, or TWILIO_AUTH_TOKEN_PARAMETER naming an SSM SecureString that exists",
    fix: "store the token as docs/deploy.md shows",
  });
}

interface Exchange {
  status: number;
  isOk: boolean;
  body: unknown;
}

/** https://www.twilio.com/docs/api/errors/20003 comes with more than one status. */
function isUnauthorized({ status, isOk, body }: Exchange): boolean {
  return !isOk && (status === 401 || failureOf(status, body).code === 20003);
}

/** Undefined where there is none, or where nobody can say: Twilio's answer to the first one then stands. */
async function otherToken(authToken: AuthToken, refused: string): Promise<string | undefined> {
  try {
    const token = await authToken({ not: refused });
    return token === "" || token === refused ? undefined : token;
  } catch {
    return undefined;
  }
}

// A 2xx that does not look like Twilio's answer (a proxy's page, half a body) proves nothing: ask again.
function understood<T extends z.core.$ZodType>(body: unknown, schema: T): Answer<z.output<T>> {
  const parsed = z.safeParse(schema, body);
  if (parsed.success) return { kind: "ok", body: parsed.data };
  const where = parsed.error.issues.map((issue) => issue.path.join(".") || "the body").join(", ");
  return { kind: "failed", failure: noAnswer(`the answer could not be understood (${where})`) };
}

// The older APIs give the next page as a path, the newer ones as a whole URL. Never follow one to another host, nor to
// another product: the credentials go along.
function urlOf(base: string, path: string): string {
  const url = URL.parse(path.startsWith("/") ? base + path : path)?.href;
  if (url?.startsWith(new URL(`${base}/`).href)) return url;
  throw new TollbreakerError("twilio-foreign-page", "Twilio's answer points to another host.", {
    expected: `the address of a page under ${base}`,
    got: path,
    fix: "check TWILIO_API_URL",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// fetch hides the reason ("fetch failed") in its cause.
function reasonOf(error: unknown): string {
  if (error instanceof TollbreakerError) return error.message;
  if (error instanceof Error && error.name === "TimeoutError") return "no answer in time";
  return error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
}
