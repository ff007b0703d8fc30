import { afterEach, beforeEach, expect, it } from "vitest";
import { armEventStreams } from "../../local/event-streams.ts";
import type { TwilioSimulator } from "../../local/twilio/simulator.ts";
import { apiOf, quietSimulator, subaccount } from "./twilio/api.ts";
import { webhook } from "./twilio/webhook.ts";

let simulator: TwilioSimulator;
beforeEach(async () => {
  simulator = await quietSimulator();
});
afterEach(() => simulator.close());

const sinksOf = async (nth: number) => (await apiOf(simulator, subaccount(simulator, nth)).get("/v1/Sinks")).body.sinks;

it("each subaccount streams its errors to us once, however often it is armed", async () => {
  const hook = await webhook();
  const { origin } = new URL(hook.url);
  await armEventStreams(simulator, `${origin}/`);
  await armEventStreams(simulator, origin);
  for (const { accountSid } of simulator.subaccounts()) simulator.raiseErrors(accountSid, { code: 30450 });
  await simulator.errorsSettled();
  await hook.close();
  expect(hook.received).toHaveLength(3);
  for (const { url } of hook.received) expect(url).toMatch(/^\/webhooks\/event-streams\?bodySHA256=[0-9a-f]{64}$/);
});

it("another address replaces the old one, and leaves other people's sinks alone", async () => {
  const SinkConfiguration = '{"destination":"http://other.example/","method":"POST"}';
  const other = { Description: "other", SinkType: "webhook", SinkConfiguration };
  await apiOf(simulator, subaccount(simulator)).post("/v1/Sinks", other);
  await armEventStreams(simulator, "http://127.0.0.1:8001");
  await armEventStreams(simulator, "http://127.0.0.1:8002");
  const destinations = (await sinksOf(0)).map(
    (sink: { sink_configuration: { destination: string } }) => sink.sink_configuration.destination,
  );
  expect(destinations).toEqual(["http://other.example/", "http://127.0.0.1:8002/webhooks/event-streams"]);
});

it("a suspended subaccount is left out, and the others are armed", async () => {
  simulator.setStatus(subaccount(simulator).accountSid, "suspended");
  await armEventStreams(simulator, "http://127.0.0.1:8001");
  expect(await sinksOf(1)).toHaveLength(1);
});
