import type * as z from "zod/mini";
import type { Answer, TwilioClient, TwilioRequest } from "./client.ts";
import { noAnswer } from "./failures.ts";

/** A list can't be longer than this many pages; guards against a server that never ends. */
const MOST_PAGES = 1000;

interface PagedRequest<T extends z.core.$ZodType, Item> extends TwilioRequest<T> {
  items(page: z.output<T>): readonly Item[];
}

/** Reads all pages of a list, following `next_page_uri`: https://www.twilio.com/docs/usage/twilios-response#pagination */
export async function pages<T extends z.core.$ZodType<{ next_page_uri?: string | null | undefined }>, Item>(
  twilio: TwilioClient,
  { path, answer, items, timeoutMs }: PagedRequest<T, Item>,
): Promise<Answer<Item[]>> {
  const all: Item[] = [];
  let next: string | null | undefined = path;
  for (let page = 0; page < MOST_PAGES; page++) {
    const result: Answer<z.output<T>> = await twilio.send({ path: next, answer, timeoutMs });
    if (result.kind === "failed") return result;
    all.push(...items(result.body));
    next = result.body.next_page_uri;
    if (next === null || next === undefined || next === "") return { kind: "ok", body: all };
  }
  return { kind: "failed", failure: noAnswer(`more than ${MOST_PAGES} pages`) };
}
