import type * as z from "zod/mini";
import type { Answer, TwilioClient, TwilioRequest } from "./client.ts";
import { noAnswer, type TwilioFailure } from "./failures.ts";

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
  request: PagedRequest<T, Item>,
): Promise<Answer<Item[]>> {
  const read = await pagesSoFar(twilio, request);
  if (read.kind === "failed") return read;
  const { items, incomplete } = read.body;
  return incomplete === null ? { kind: "ok", body: items } : { kind: "failed", failure: incomplete };
}

export interface PagesSoFar<Item> {
  items: Item[];
  /** Why there are no more of them; null where these are all. */
  incomplete: TwilioFailure | null;
}

/** The same, for whom a part of the list is better than nothing: it fails only where there is no first page. */
export async function pagesSoFar<T extends z.core.$ZodType<Page>, Item>(
  twilio: TwilioClient,
  { items, ...request }: PagedRequest<T, Item>,
): Promise<Answer<PagesSoFar<Item>>> {
  const all: Item[] = [];
  const soFar = (incomplete: TwilioFailure | null) => ({ kind: "ok", body: { items: all, incomplete } }) as const;
  let path = request.path;
  for (let page = 0; page < MOST_PAGES; page++) {
    const result: Answer<z.output<T>> = await twilio.send({ ...request, path });
    if (result.kind === "failed") return page === 0 ? result : soFar(result.failure);
    all.push(...items(result.body));
    path = result.body.next_page_uri || result.body.meta?.next_page_url || "";
    if (path === "") return soFar(null);
  }
  return soFar(noAnswer(`more than ${MOST_PAGES} pages`));
}
