import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Alert } from "./alert.ts";
import { type AlertOccasion, composeAlert } from "./compose.ts";
import type { Notice } from "./notice.ts";
import { plainAlert } from "./plain-alert.ts";

/** The alert for an occasion: never throws, because a defect of ours would come again with each try. */
export function alertOf(occasion: AlertOccasion, log: Log): Alert {
  try {
    return composeAlert(occasion);
  } catch (error) {
    notComposed(log, { about: occasion.about, incidentId: occasion.incident.id }, error);
    return plainAlert(occasion);
  }
}

/** @param told what people are told in plain words instead. */
export function notComposed(log: Log, told: { about: (Alert | Notice)["about"]; incidentId?: string }, error: unknown) {
  log.error("alert-not-composed", { ...told, reason: messageOf(error) });
  log.count("AlertsNotComposed", 1, told);
}
