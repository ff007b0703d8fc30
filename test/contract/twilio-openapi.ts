import accountsV1 from "@twilio/cli-core/src/services/twilio-api/twilio_accounts_v1.json" with { type: "json" };
import version2010 from "@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json" with { type: "json" };
import eventsV1 from "@twilio/cli-core/src/services/twilio-api/twilio_events_v1.json" with { type: "json" };
import iamV1 from "@twilio/cli-core/src/services/twilio-api/twilio_iam_v1.json" with { type: "json" };
import voiceV1 from "@twilio/cli-core/src/services/twilio-api/twilio_voice_v1.json" with { type: "json" };
import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from "ajv";
import * as z from "zod";

/**
 * Checks requests and answers against Twilio's OpenAPI files of the 2010-04-01, the Accounts, the Events, the IAM and the
 * Voice API. Stricter than the files where Twilio is: an answer has every documented field and no other, a request only
 * documented parameters.
 */

/** @throws Error naming each problem, when Twilio would not answer `method` on `path` with this `body`. */
export function assertAnswer(method: string, path: string, status: number, body: unknown): void {
  if (status >= 400) assertValid(errorAnswer, body, `${method} ${path} answered ${status}`);
  else assertSuccess(method, path, status, body);
}

function assertSuccess(method: string, path: string, status: number, body: unknown): void {
  const { template, operation } = operationFor(method, path);
  const answer = operation.responses[String(status)];
  if (answer === undefined) throw new Error(`${method} ${template} has no answer ${status} in Twilio's OpenAPI file.`);
  const schema = answer.content?.["application/json"]?.schema;
  if (schema === undefined) assertEmpty(body, `${method} ${template} answered ${status}`);
  else assertValid(compiled(`${method} ${template} ${status}`, exact(schema)), body, `${method} ${template}`);
}

/**
 * @param pathWithQuery the API's own path, such as `/2010-04-01/Accounts.json?Status=suspended`
 * @param form the body's parameters; a repeated name counts once
 * @throws Error naming each problem, when Twilio does not document this request.
 */
export function assertRequest(method: string, pathWithQuery: string, form: Record<string, string> = {}): void {
  const { pathname, searchParams } = new URL(pathWithQuery, "https://api.twilio.com");
  const { template, operation, inPath } = operationFor(method, pathname);
  const sent = { path: inPath, query: Object.fromEntries(searchParams), form };
  assertValid(compiled(`${method} ${template} request`, requestSchema(operation)), sent, `${method} ${pathWithQuery}`);
}

const Operation = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.string(), schema: z.record(z.string(), z.unknown()) }))
    .default([]),
  requestBody: z
    .object({
      content: z.object({
        "application/x-www-form-urlencoded": z.object({
          schema: z.object({
            properties: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
            required: z.array(z.string()).default([]),
          }),
        }),
      }),
    })
    .optional(),
  responses: z.record(
    z.string(),
    z.object({
      content: z.object({ "application/json": z.object({ schema: z.record(z.string(), z.unknown()) }) }).optional(),
    }),
  ),
});
type Operation = z.infer<typeof Operation>;

// No path and no schema that is used here is in two of the files.
const files = [accountsV1, eventsV1, iamV1, voiceV1, version2010];
const paths: Record<string, Record<string, unknown>> = Object.assign({}, ...files.map((file) => file.paths));
const schemas: Record<string, unknown> = Object.assign({}, ...files.map((file) => file.components.schemas));

function operationFor(method: string, path: string) {
  for (const [template, operations] of Object.entries(paths)) {
    const inPath = matchOf(template, path);
    const operation = operations[method.toLowerCase()];
    if (inPath !== undefined && operation !== undefined) {
      return { template, inPath, operation: Operation.parse(operation) };
    }
  }
  throw new Error(`Twilio's OpenAPI file has no ${method} ${path}.`);
}

function matchOf(template: string, path: string): Record<string, string> | undefined {
  const pattern = template.replaceAll(".", "\\.").replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+?)");
  const match = new RegExp(`^${pattern}$`).exec(path);
  return match === null ? undefined : { ...match.groups };
}

function requestSchema({ parameters, requestBody }: Operation): AnySchemaObject {
  const within = (place: string) =>
    Object.fromEntries(parameters.filter((one) => one.in === place).map((one) => [one.name, converted(one.schema)]));
  const body = requestBody?.content["application/x-www-form-urlencoded"].schema;
  const form = Object.entries(body?.properties ?? {}).map(([name, schema]) => [name, converted(orEmpty(name, schema))]);
  return object({
    path: object(within("path")),
    query: { ...object(within("query")), required: [] },
    form: { ...object(Object.fromEntries(form)), required: body?.required ?? [] },
  });
}

// "Can be: `daily`, `monthly`, or `yearly` for recurring triggers or empty for non-recurring triggers." Of a phone number
// an empty URL or application is one that is not set, in Twilio's own example of the resource too.
const MAY_BE_EMPTY =
  /^(Recurring|(Voice|Sms)(Fallback)?Url|StatusCallback|(Voice|Sms)ApplicationSid|TrunkSid|(voice|sms)(_fallback)?_url|status_callback|(voice|sms)_application_sid)$/;

const orEmpty = (name: string, schema: AnySchemaObject): AnySchemaObject =>
  MAY_BE_EMPTY.test(name) ? { anyOf: [schema, { const: "" }] } : schema;

const object = (properties: Record<string, unknown>): AnySchemaObject => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

// Numbers in a query or a form are text, which is what `coerceTypes` reads; answers are taken as they are.
const formats = {
  "date-time-rfc-2822":
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d \+0000$/,
  "date-time": (text: string) => !Number.isNaN(Date.parse(text)),
  date: /^\d{4}-\d\d-\d\d$/,
  currency: /^[A-Za-z]{3}$/,
  "phone-number": /^(\+\d{4,15}|[\w:+]+)$/,
  endpoint: /\S/,
  "http-method": /^(GET|POST)$/,
  twiml: true,
  int64: true,
  // Twilio's `uri` is a whole URL or a path below https://api.twilio.com.
  uri: (text: string) => URL.canParse(text) || /^\/2010-04-01\/\S*$/.test(text),
  "uri-map": true,
  "iso-country-code": /^[A-Z]{2}$/,
  "phone-number-capabilities": true,
} as const;

const strictAjv = newAjv(false);
// A parameter that may be repeated counts once here: one value stands for a list of one.
const coercingAjv = newAjv("array");

function newAjv(coerceTypes: false | "array"): Ajv {
  const ajv = new Ajv({ allErrors: true, coerceTypes, strict: false, formats });
  ajv.addSchema({ $id: "twilio", components: { schemas: converted(schemas) } });
  return ajv;
}

const known = new Map<string, ValidateFunction>();

function compiled(name: string, schema: AnySchemaObject): ValidateFunction {
  const ajv = name.endsWith("request") ? coercingAjv : strictAjv;
  const check = known.get(name) ?? ajv.compile(schema);
  known.set(name, check);
  return check;
}

/** OpenAPI 3.0's `nullable` and references, as JSON Schema has them. */
function converted(schema: unknown): AnySchemaObject {
  return walk(schema, (one) => one);
}

/** The same for an answer, where every documented field is there and no other. */
function exact(schema: unknown): AnySchemaObject {
  return walk(inlined(schema), (one) =>
    "properties" in one ? { ...one, ...object(emptiable(one["properties"])) } : one,
  );
}

const emptiable = (properties: Record<string, AnySchemaObject>): Record<string, AnySchemaObject> =>
  Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, orEmpty(name, schema)]));

function walk(schema: unknown, finish: (one: AnySchemaObject) => AnySchemaObject): AnySchemaObject {
  if (Array.isArray(schema)) return schema.map((one) => walk(one, finish));
  if (typeof schema !== "object" || schema === null) return schema as unknown as AnySchemaObject;
  const children = Object.entries(schema).map(([name, value]) => [name, walk(value, finish)]);
  const { nullable, $ref, ...rest }: AnySchemaObject = Object.fromEntries(children);
  if (typeof $ref === "string") return referenceTo($ref);
  return finish(nullable === true && "type" in rest ? orNull(rest) : rest);
}

function orNull({ type, ...rest }: AnySchemaObject): AnySchemaObject {
  return { ...rest, type: [type, "null"], ...(rest["enum"] !== undefined && { enum: [...rest["enum"], null] }) };
}

// The file does not say that `recurring` may be null, but Twilio's documented answers have it so.
// https://www.twilio.com/docs/usage/api/usage-trigger
function referenceTo(reference: string): AnySchemaObject {
  const target = { $ref: `twilio${reference}` };
  return reference.endsWith("/usage_trigger_enum_recurring") ? { anyOf: [target, { type: "null" }] } : target;
}

/** Puts objects in the place of references to them, so that they can be made exact. */
function inlined(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(inlined);
  if (typeof schema !== "object" || schema === null) return schema;
  const target = "$ref" in schema ? schemas[String(schema.$ref).replace("#/components/schemas/", "")] : undefined;
  if (typeof target === "object" && target !== null && "properties" in target) return inlined(target);
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, inlined(value)]));
}

// https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions
const errorAnswer = strictAjv.compile(
  object({
    code: { type: "integer", minimum: 10_000, maximum: 99_999 },
    message: { type: "string", minLength: 1 },
    more_info: { type: "string", pattern: "^https://www\\.twilio\\.com/docs/errors/\\d{5}$" },
    status: { type: "integer", minimum: 400, maximum: 599 },
  }),
);

function assertValid(check: ValidateFunction, data: unknown, what: string): void {
  if (check(structuredClone(data))) return;
  throw new Error(`${what} breaks Twilio's OpenAPI file: ${(check.errors ?? []).map(problem).join("; ")}.`);
}

const problem = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || "/"} ${message} ${JSON.stringify(params)}`;

function assertEmpty(body: unknown, what: string): void {
  if (body !== undefined && body !== null && body !== "")
    throw new Error(`${what} with a body where Twilio sends none.`);
}
