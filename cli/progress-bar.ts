import type { Terminal } from "./terminal.ts";

const WIDTH = 24;

export interface ProgressBar {
  /** One more is done. */
  step(): void;
  end(): void;
}

/** A bar on a terminal; elsewhere nothing, because nothing can be written over there. */
export function progressBar({ status }: Pick<Terminal, "status">, what: string, total: number): ProgressBar {
  let done = 0;
  const show = () => {
    const filled = total === 0 ? WIDTH : Math.floor((WIDTH * done) / total);
    status(`${what} [${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ${done}/${total}`);
  };
  show();
  return {
    step() {
      done += 1;
      show();
    },
    end: () => status(""),
  };
}
