import { apiBase, apiPath, queryIn, type TwilioContext } from "./http.ts";
import { pageOf } from "./paging.ts";

/** A page of one of Twilio's newer APIs: the frame is in `meta`, and its addresses are whole. */
export function metaPage<T extends { sid: string }>(
  context: TwilioContext,
  key: string,
  all: readonly T[],
  wanted: (item: T) => boolean,
) {
  const { items, frame } = pageOf({ path: apiPath(context.req.url), query: queryIn(context) }, all, wanted);
  const whole = (path: string | null) => (path === null ? null : `${apiBase(context.req.url)}${path}`);
  const meta = {
    key,
    page: frame.page,
    page_size: frame.page_size,
    url: whole(frame.uri),
    first_page_url: whole(frame.first_page_uri),
    next_page_url: whole(frame.next_page_uri),
    previous_page_url: whole(frame.previous_page_uri),
  };
  return { items, meta };
}
