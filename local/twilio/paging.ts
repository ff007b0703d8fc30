/** One page of a list, as Twilio's 2010-04-01 API delimits it. */
export interface Page<T> {
  items: T[];
  frame: PageFrame;
}

/** The fields beside the items. The URIs are paths, without host: a client puts its own base in front. */
interface PageFrame {
  page: number;
  page_size: number;
  start: number;
  end: number;
  uri: string;
  first_page_uri: string;
  next_page_uri: string | null;
  previous_page_uri: string | null;
}

export interface PageRequest {
  /** The API's own path, such as `/2010-04-01/Accounts.json`. */
  path: string;
  query: URLSearchParams;
}

const DEFAULT_SIZE = 50;
const LARGEST_SIZE = 1000;

/**
 * The page that `request` asks for. A PageToken names the last item of the page before it, so a list that shrinks
 * while it is being read (live calls that are ended page by page) skips nothing.
 * @param all the whole collection in a stable order, also what the filter will drop
 * @param wanted the filter
 */
export function pageOf<T extends { sid: string }>(
  { path, query }: PageRequest,
  all: readonly T[],
  wanted: (item: T) => boolean,
): Page<T> {
  const size = sizeIn(query);
  const page = wholeNumber(query.get("Page")) ?? 0;
  const after = positionAfterToken(query.get("PageToken"), all);
  const rest = after === undefined ? all.filter(wanted).slice(page * size) : all.slice(after).filter(wanted);
  const items = rest.slice(0, size);
  const last = rest.length > size ? items.at(-1) : undefined;
  return { items, frame: frameOf({ path, query, page, size, count: items.length, last: last?.sid }) };
}

interface Frame extends PageRequest {
  page: number;
  size: number;
  count: number;
  last: string | undefined;
}

function frameOf({ path, query, page, size, count, last }: Frame): PageFrame {
  const uri = (number: number, token?: string) => `${path}?${queryOf(query, size, number, token)}`;
  const start = page * size;
  return {
    page,
    page_size: size,
    start,
    end: start + Math.max(0, count - 1),
    uri: uri(page, query.get("PageToken") ?? undefined),
    first_page_uri: uri(0),
    next_page_uri: last === undefined ? null : uri(page + 1, `PA${last}`),
    previous_page_uri: page === 0 ? null : uri(page - 1),
  };
}

function queryOf(query: URLSearchParams, size: number, page: number, token: string | undefined): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const name of ["PageSize", "Page", "PageToken"]) next.delete(name);
  next.set("PageSize", String(size));
  next.set("Page", String(page));
  if (token !== undefined) next.set("PageToken", token);
  return next;
}

function positionAfterToken<T extends { sid: string }>(token: string | null, all: readonly T[]): number | undefined {
  if (token === null) return undefined;
  const position = all.findIndex(({ sid }) => `PA${sid}` === token);
  return position === -1 ? undefined : position + 1;
}

function sizeIn(query: URLSearchParams): number {
  return Math.min(LARGEST_SIZE, Math.max(1, wholeNumber(query.get("PageSize")) ?? DEFAULT_SIZE));
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
