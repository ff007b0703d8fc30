import { EXIT, Failure } from "../failure.ts";
import { printableJson, type Terminal } from "../terminal.ts";
import { Doubtful } from "./send-command.ts";

/**
 * Does what a command with `--json` does, and prints its object also where it never came to follow a command: a program
 * that reads standard output is told of every end in the same way.
 * @param incidentId null where the command opens an incident.
 * @throws whatever `act` throws.
 */
export async function toldAsJson(
  incidentId: string | null,
  terminal: Terminal,
  act: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  let isPrinted = false;
  const print = (text: string) => {
    isPrinted = true;
    terminal.print(text);
  };
  try {
    await act({ ...terminal, print });
  } catch (thrown) {
    if (!isPrinted && thrown instanceof Failure) terminal.print(unsent(incidentId, thrown));
    throw thrown;
  }
}

function unsent(incidentId: string | null, failure: Failure): string {
  const why = [failure.message, ...failure.notes].join("\n");
  return printableJson({ command: null, incidentId, outcome: outcomeOf(failure), why, incident: null });
}

function outcomeOf(failure: Failure): "refused" | "failed" | "unknown" {
  if (failure instanceof Doubtful) return "unknown";
  switch (failure.exit) {
    case EXIT.unknown:
      return "unknown";
    case EXIT.failed:
    case EXIT.unreachable:
    case EXIT.wentWrong:
      return "failed";
    default:
      return "refused";
  }
}
