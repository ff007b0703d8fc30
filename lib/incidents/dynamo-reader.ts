import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, QueryCommand, type QueryCommandInput } from "@aws-sdk/lib-dynamodb";
import { IMPATIENT } from "../aws.ts";
import { INCIDENT_STATES, type Incident, type TimelineEntry } from "./incident.ts";
import type { IncidentPage, IncidentQuery, IncidentReader } from "./incident-reader.ts";
import { entryOf, incidentOf } from "./items.ts";
import { BY_ACCOUNT, BY_STATE, headKey } from "./keys.ts";

type Item = Record<string, unknown>;

/** Reads incidents from the table and its two indexes; needs no right to write. */
export function dynamoIncidentReader(tableName: string): IncidentReader {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(IMPATIENT));

  async function list(query: IncidentQuery): Promise<IncidentPage> {
    // One more than asked for tells whether there is a next page.
    const found = await newest({ ...query, limit: query.limit + 1 });
    const incidents = found.slice(0, query.limit);
    return { incidents, next: found.length > query.limit ? (incidents.at(-1)?.id ?? null) : null };
  }

  async function newest({ state, accountSid, limit, before }: IncidentQuery): Promise<Incident[]> {
    if (accountSid !== undefined) return ofAccount(accountSid, state, limit, before);
    // Without an account, each state is one sorted partition: their heads, merged, are the newest of all.
    const states = state === undefined ? INCIDENT_STATES : [state];
    const lists = await Promise.all(states.map((each) => query(BY_STATE, "state", each, limit, before)));
    return onceEach(lists.flat()).sort(newestFirst).slice(0, limit);
  }

  async function ofAccount(accountSid: string, state: string | undefined, limit: number, before: string | undefined) {
    const filter = state === undefined ? undefined : state;
    return query(BY_ACCOUNT, "accountSid", accountSid, limit, before, filter);
  }

  async function query(
    index: string,
    key: string,
    value: string,
    limit: number,
    before: string | undefined,
    state?: string,
  ): Promise<Incident[]> {
    const input: QueryCommandInput = {
      TableName: tableName,
      IndexName: index,
      KeyConditionExpression: before === undefined ? "#key = :value" : "#key = :value AND id < :before",
      ExpressionAttributeNames: { "#key": key },
      ExpressionAttributeValues: before === undefined ? { ":value": value } : { ":value": value, ":before": before },
      ScanIndexForward: false,
      Limit: limit,
    };
    const wanted = (incident: Incident) => state === undefined || incident.state === state;
    const found: Incident[] = [];
    for await (const items of pagesOf(input)) {
      found.push(...items.map(incidentOf).filter(wanted));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  async function* pagesOf(input: QueryCommandInput): AsyncGenerator<Item[]> {
    let from: Item | undefined;
    do {
      const page = await client.send(
        new QueryCommand({ ...input, ...(from === undefined ? {} : { ExclusiveStartKey: from }) }),
      );
      yield page.Items ?? [];
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
  }

  async function get(id: string) {
    const { pk } = headKey(id);
    const items: Item[] = [];
    const input = {
      TableName: tableName,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": pk },
      ConsistentRead: true,
    };
    for await (const page of pagesOf(input)) items.push(...page);
    const head = items.find(({ sk }) => sk === headKey(id).sk);
    if (head === undefined) return undefined;
    const timeline = items.filter((item) => item !== head).map(entryOf);
    return { incident: incidentOf(head), timeline: timeline.sort(oldestFirst) };
  }

  // A query, as for the history beside it: whoever reads incidents needs no other right.
  async function head(id: string): Promise<Incident | undefined> {
    const { pk, sk } = headKey(id);
    const reading = new QueryCommand({
      TableName: tableName,
      KeyConditionExpression: "pk = :pk AND sk = :sk",
      ExpressionAttributeValues: { ":pk": pk, ":sk": sk },
      ConsistentRead: true,
    });
    const { Items: [item] = [] } = await client.send(reading);
    return item === undefined ? undefined : incidentOf(item);
  }

  return { list, get, head };
}

/** An incident that changes its state while the states are read is found twice: the later version is kept. */
function onceEach(incidents: readonly Incident[]): Incident[] {
  const latest = new Map<string, Incident>();
  for (const incident of incidents) {
    const other = latest.get(incident.id);
    if (other === undefined || other.updatedAt < incident.updatedAt) latest.set(incident.id, incident);
  }
  return [...latest.values()];
}

function newestFirst(a: Incident, b: Incident): number {
  return a.id < b.id ? 1 : -1;
}

/** What happened within one millisecond is told in the order of the story. */
const STORY = [
  "opened",
  "signal-joined",
  "suspension-asked",
  "failed",
  "alerted",
  "suspended",
  "reactivation-asked",
  "checked",
  "calls-ended",
  "evidence-read",
  "api-keys-deleted",
  "triggers-restored",
  "cleaning-goes-on",
  "numbers-unrouted",
  "restoring-goes-on",
  "armed",
  "activated",
  "auth-token-rotated",
  "new-api-keys-deleted",
  "guards-restored",
  "numbers-unrouted-anew",
  "window-calls-ended",
  "voice-countries-narrowed",
  "numbers-checked",
  "reactivated",
  "reactivation-refused",
  "reactivation-failed",
];

function oldestFirst(a: TimelineEntry, b: TimelineEntry): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return chapter(a) - chapter(b);
}

function chapter({ what }: TimelineEntry): number {
  const index = STORY.indexOf(what);
  return index === -1 ? STORY.length : index;
}
