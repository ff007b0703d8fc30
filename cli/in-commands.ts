/**
 * The operator API speaks of requests and members of a body; whoever sits at the command line types commands and flags.
 * What is not known here stays as it came.
 */

/** In this order: a route that begins like another one comes first. */
const COMMANDS: readonly (readonly [request: string, command: string])[] = [
  ["GET /api/incidents?account={sid}", "incidents list --account SID"],
  ["GET /api/incidents/{id}", "incidents show ID"],
  ["GET /api/incidents", "incidents list"],
  ["GET /api/brake", "brake show"],
  ["GET /api/operators", "operators list"],
  ["POST /api/incidents/reactivate", "incidents reactivate --all"],
  ["POST /api/incidents/dismiss", "incidents dismiss --all"],
  ["POST /api/incidents/{id}/reactivate", "incidents reactivate ID"],
  ["POST /api/incidents/{id}/dismiss", "incidents dismiss ID"],
  ["POST /api/incidents/{id}/check", "incidents check ID"],
  ["POST /api/incidents/{id}/restore-numbers", "incidents restore-numbers ID"],
  ["POST /api/subaccounts/{sid}/suspend", "suspend SID"],
  ["POST /api/brake/release", "brake release"],
  ["the header `Authorization: Bearer <token>`", "TOLLBREAKER_TOKEN"],
  ["send your token", "set TOLLBREAKER_TOKEN"],
  ["and send its `digest` as `checklist`", "and add its digest: --checklist DIGEST"],
  ["the `digest` of the check-list on record, which is `checklist` here", "the digest of the check-list on record"],
  ["`checklist`: the `digest` of the check-list", "--checklist with the digest of the check-list"],
  ["each of `missing` in `acknowledge`, or in `cleanup`", "each in --acknowledge, or in --cleanup"],
];

/** A member of a body that has a flag of its own. */
const FLAG = /`(acknowledge|cleanup|countries|reason|accounts)`/g;
/** `send "acknowledge": ["exempt","observe-mode"]` */
const ACKNOWLEDGE = /send "acknowledge": \[([^\]]*)\]/g;

/** A sentence of the operator API in the words of the command line. */
export function inCommands(text: string): string {
  const spoken = COMMANDS.reduce((words, [request, command]) => words.replaceAll(request, command), text);
  return spoken
    .replace(ACKNOWLEDGE, (_, ids: string) => `add --acknowledge ${ids.replaceAll(/["\s]/g, "")}`)
    .replace(FLAG, "--$1");
}
