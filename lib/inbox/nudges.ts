import * as z from "zod/mini";
import { accountSid, time } from "./fields.ts";

/**
 * What the sweep asks the responder to look at, and the rehearsal: nothing that the policy judges. The responder reads
 * for itself what is there to be done. Times are ISO 8601 in UTC.
 */
const envelope = {
  /** The same for the same reason within its time, so that two sweeps ask once. */
  id: z.string().check(z.minLength(1), z.maxLength(128)),
  accountSid,
  receivedAt: time,
};
const incidentId = z.string().check(z.minLength(1), z.maxLength(64));

/** An account that we suspended, and that nobody reactivated, is active. */
export const TamperedNudge = z.object({ kind: z.literal("tampered"), ...envelope, incidentId });
export type TamperedNudge = z.infer<typeof TamperedNudge>;

/** An account is suspended, and its incident says otherwise, or it has none. */
export const FoundSuspendedNudge = z.object({ kind: z.literal("found-suspended"), ...envelope });
export type FoundSuspendedNudge = z.infer<typeof FoundSuspendedNudge>;

/** An incident makes no progress: whoever was at it is gone. Or its account waits at the brake, and a place was given back. */
export const DriveNudge = z.object({
  kind: z.literal("drive"),
  ...envelope,
  incidentId,
  /** Only then is who waits at the brake asked again: that its window is over releases nobody. */
  isPlaceFree: z.exactOptional(z.literal(true)),
});
export type DriveNudge = z.infer<typeof DriveNudge>;

/** An incident waits for a person. */
export const RemindNudge = z.object({
  kind: z.literal("remind"),
  ...envelope,
  incidentId,
  /** How long it has waited, in milliseconds. */
  waited: z.int().check(z.nonnegative()),
});
export type RemindNudge = z.infer<typeof RemindNudge>;

/** Limits that an operator raised for a while are over, or people are still to be told of them. */
const RaisesNudge = z.object({ kind: z.literal("raises"), ...envelope });

/** A limit of a running account is spent, and what its guard counts from is not known, or it has none. */
export const GuardNudge = z.object({ kind: z.literal("guard"), ...envelope });
export type GuardNudge = z.infer<typeof GuardNudge>;

export const DRILL_ID = /^[0-9a-z-]{8,64}$/;

/** A rehearsal, signed with the parent's auth token: everything is done but the suspension. */
export const DrillNudge = z.object({
  kind: z.literal("drill"),
  ...envelope,
  /** By which its stations are found. */
  drillId: z.string().check(z.regex(DRILL_ID)),
  /** When whoever asked for it sent it. */
  sentAt: time,
});
export type DrillNudge = z.infer<typeof DrillNudge>;

export const Nudge = z.discriminatedUnion("kind", [
  TamperedNudge,
  FoundSuspendedNudge,
  DriveNudge,
  RemindNudge,
  GuardNudge,
  RaisesNudge,
  DrillNudge,
]);
export type Nudge = z.infer<typeof Nudge>;
