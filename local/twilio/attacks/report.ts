/** How an attack on one account goes. */
export interface AttackReport {
  accountSid: string;
  kind: AttackKind;
  startedAt: Date;
  running: boolean;
  /** Messages and calls that Twilio took. */
  accepted: number;
  /** Those that it did not take: the account is suspended, or the country is shut off. */
  refused: number;
  /** What Twilio stopped by itself, whatever the account's status: each is an event in the debugger. */
  blocked: number;
  /** What a simulated hour of this costs unhindered, in the account's currency. */
  pricePerHour: number;
  timeFactor: number;
}

type AttackKind = "sms-pumping" | "toll-fraud" | "sip-probing" | "runaway-loop";

/** Lets `elapsed` real milliseconds of the attack happen. */
export type Advance = (elapsed: number) => void;

export const attempts = ({ accepted, refused, blocked }: AttackReport): number => accepted + refused + blocked;

export function tally(report: AttackReport, accepted: boolean): void {
  if (accepted) report.accepted += 1;
  else report.refused += 1;
}
