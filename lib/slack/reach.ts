import type { CommandParts } from "../operators/accept-command.ts";
import type { SlackApi } from "./web-api.ts";

/** What answering somebody in Slack needs: the way in for commands, and Slack itself. */
export interface Reach extends CommandParts {
  api: SlackApi;
  /** Undefined for Slack's own. */
  apiUrl: string | undefined;
}
