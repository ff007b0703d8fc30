import { expect, it } from "vitest";
import { firstSubaccount, slackAbout, until } from "../../../local/demo/watch.ts";
import { quietSimulator } from "../twilio/api.ts";

it("waits until there is something to see, now or later", async () => {
  let looks = 0;
  expect(await until("a number", () => (looks++ < 3 ? undefined : looks))).toBe(4);
  expect(await until("a promise", async () => "seen")).toBe("seen");
});

it("finds the message about an account whose headline matches, and no other", async () => {
  const simulator = await quietSimulator();
  const account = firstSubaccount(simulator);
  await simulator.close();
  const slack = [
    ["Suspended: another", "AC0"],
    ["Warning", account.accountSid],
    ["Suspended: this", `  ${account.accountSid}`],
  ];
  expect(slackAbout(slack, account, /^suspended/i)).toBe(slack[2]);
  expect(slackAbout(slack, account, /^failed/i)).toBeUndefined();
});
