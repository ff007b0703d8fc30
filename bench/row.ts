/** One line of the bench's result. */
export interface Row {
  measure: string;
  unit:
    | "ms"
    | "µs"
    | "MB"
    | "round trips"
    | "requests"
    | "messages"
    | "a second"
    | "per CPU second"
    | "minutes"
    | "of money"
    | "a month";
  ours: number;
  /** What ours is compared with, measured in the same run; null where there is nothing fair to compare with. */
  peer: { name: string; value: number } | null;
  /** Ours divided by the peer's. */
  ratio: number | null;
  /** The most, or the least, that the ratio (or, without a peer, ours) should be; null where nothing was promised. */
  aim: Aim | null;
  met: boolean | null;
}

export type Aim = { atMost: number } | { atLeast: number };

type Measured = Pick<Row, "measure" | "unit" | "ours"> & { peer?: Row["peer"]; aim?: Aim };

export function row({ measure, unit, ours, peer = null, aim }: Measured): Row {
  const ratio = peer === null ? null : ours / peer.value;
  const met = aim === undefined ? null : isMet(ratio ?? ours, aim);
  return { measure, unit, ours, peer, ratio, aim: aim ?? null, met };
}

function isMet(value: number, aim: Aim): boolean {
  return "atMost" in aim ? value <= aim.atMost : value >= aim.atLeast;
}
