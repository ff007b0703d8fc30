import * as z from "zod/mini";

/** What every message in the inbox is made of. */
export const time = z.iso.datetime();
export const accountSid = z.string().check(z.regex(/^AC[0-9a-fA-F]{32}$/));
