import { expect, it } from "vitest";
import { ATTACKS } from "../../../cli/simulate.ts";
import { STORIES } from "../../../local/demo/stories.ts";
import { quietSimulator, subaccount } from "../twilio/api.ts";

it("whatever `simulate` can start, the demo can tell", () => {
  expect(Object.keys(STORIES).sort()).toEqual([...ATTACKS].sort());
});

it("whatever `simulate` can start, the simulator knows", async () => {
  const simulator = await quietSimulator();
  const { accountSid } = subaccount(simulator);
  const post = (path: string, json: object) =>
    fetch(`${simulator.url}/simulator${path}`, { method: "POST", body: JSON.stringify(json) });
  for (const kind of ATTACKS) {
    const glitch = kind === "billing-glitch";
    const answer = await post(glitch ? "/billing-glitch" : `/accounts/${accountSid}/attack`, glitch ? {} : { kind });
    expect([kind, answer.status]).toEqual([kind, 201]);
  }
  await simulator.close();
});
