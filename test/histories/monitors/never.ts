import { isByHand, isExempt, nameOf } from "./about.ts";
import type { MakeMonitor } from "./monitor.ts";

/** Invariant 5: who must never be suspended, by whatever road the request comes; and what nobody may ask for. */
export const never: MakeMonitor = (world, violated) => ({
  watch(seen) {
    if (seen.what !== "status-asked") return;
    const { accountSid, status, run } = seen;
    const name = nameOf(world, accountSid);
    if (accountSid === world.twilio.parentSid) violated("parent", `the parent was to be ${status}`);
    if (!world.twilio.sids.includes(accountSid)) return violated("not-ours", `${name} was to be ${status}`);
    if (status === "closed") violated("closed", `${name} was to be closed for good`);
    if (run?.name !== "respond") return violated("not-the-responder", `${run?.name} asks for ${name} to be ${status}`);
    // One that is suspended is asked whether Twilio itself holds it: that changes nothing.
    const isActive = world.twilio.known(accountSid).status === "active";
    if (status !== "suspended" || !isActive || isByHand(world, run, accountSid)) return;
    // What is deployed by now may be newer.
    const policy = run.deployed;
    if (policy.mode === "observe") violated("observe", `${name} was to be suspended in observe mode`);
    if (isExempt(policy, accountSid)) violated("exempt", `${name}, which is exempt, was to be suspended`);
  },
  atTheEnd() {
    const { status } = world.twilio.known(world.twilio.parentSid);
    if (status !== "active") violated("parent", `the parent is ${status}`);
  },
});
