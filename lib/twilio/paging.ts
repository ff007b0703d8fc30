import type * as z from "zod/mini";
import type { Answer, TwilioClient, TwilioRequest } from "./client.ts";
import { noAnswer } from "./failures.ts";

/** A list can't be longer than this many pages; guards against a server that never ends. */
const MOST_PAGES = 1000;

interface PagedRequest<T extends z.core.$ZodType, Item> extends TwilioRequest<T> {
  items(page: z.output<T>): readonly Item[];
}

/** Where a page says what the next one is: the older APIs in the page itself, the newer ones in its `meta`. */
interface Page {
  next_page_uri?: string | null | undefined;
  meta?: { next_page_url?: string | null | undefined } | undefined;
}

/** Reads all pages of a list: https://www.twilio.com/docs/usage/twilios-response#pagination */
export async function pages<T extends z.core.$ZodType<Page>, Item>(
  twilio: TwilioClient,
  { items, ...request }: PagedRequest<T, Item>,
): Promise<Answer<Item[]>> {
  const all: Item[] = [];
  let path = request.path;
  for (let page = 0; page < MOST_PAGES; page++) {
    const result: Answer<z.output<T>> = await twilio.send({ ...request, path });
    if (result.kind === "failed") return result;
    all.push(...items(result.body));
    path = result.body.next_page_uri || result.body.meta?.next_page_url || "";
    if (path === "") return { kind: "ok", body: all };
  }
  return { kind: "failed", failure: noAnswer(`more than ${MOST_PAGES} pages`) };
}
