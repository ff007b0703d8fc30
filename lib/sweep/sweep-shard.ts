import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import pLimit from "p-limit";
import { messageOf } from "../errors.ts";
import { noteCurrencies } from "./currency.ts";
import { finishSweep } from "./finish-sweep.ts";
import { NOTHING_KNOWN, type Recalled } from "./known.ts";
import { politeClient } from "./polite-client.ts";
import { noteRefusals } from "./refusals.ts";
import { isComplete, type Run } from "./run-store.ts";
import { readShard, type Shard } from "./shard.ts";
import { sweepAccount } from "./sweep-account.ts";
import type { Sweeper } from "./sweeper.ts";
import { sumOf, type Tally } from "./tally.ts";

/** Kept back from the function's time, for the report. */
const RESERVE_MS = 8000;
/** A shard that would get less time than this is left for the next delivery. */
const LEAST_MS = 10_000;
/** Requests to Twilio that a worker has under way; an account's limit is not published, 100 at once is what people report. */
const REQUESTS_AT_ONCE = 10;
/** More than the requests: some accounts wait for our own store meanwhile. */
const ACCOUNTS_AT_ONCE = 16;

const UNKNOWN: Recalled = { kind: "known", known: NOTHING_KNOWN, untold: [] };

type RemainingTime = Pick<Context, "getRemainingTimeInMillis">;

/** Takes shards from their queue: what is not finished is reported, and comes again. */
export function shardWorker(sweeper: Sweeper) {
  return async ({ Records }: SQSEvent, context: RemainingTime): Promise<SQSBatchResponse> => {
    const deadline = sweeper.clock.now().getTime() + context.getRemainingTimeInMillis() - RESERVE_MS;
    const failed: SQSRecord[] = [];
    for (const record of Records) if (!(await isDone(sweeper, record, deadline))) failed.push(record);
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}

async function isDone(sweeper: Sweeper, record: SQSRecord, deadline: number): Promise<boolean> {
  const { clock, log } = sweeper;
  if (deadline - clock.now().getTime() < LEAST_MS) return false;
  try {
    await sweepShard(sweeper, readShard(record.body), deadline);
    return true;
  } catch (error) {
    log.error("shard-not-swept", { messageId: record.messageId, reason: messageOf(error) });
    return false;
  }
}

/**
 * Sweeps a shard, and ends the sweep when it was the last. Handed out again, it goes on where it was: an account twice
 * is harmless, a shard is counted once.
 * @param deadline milliseconds since the epoch; accounts that have no time left are left to the next sweep
 */
export async function sweepShard(sweeper: Sweeper, shard: Shard, deadline: number): Promise<void> {
  const { runs, log } = sweeper;
  const { sweepId, number } = shard;
  const run = await runs.read();
  if (run?.sweepId !== sweepId) {
    log.info("shard-outdated", { sweepId, shard: number });
    return;
  }
  const reported = run.done.has(number) ? run : await sweepAndReport(sweeper, shard, deadline);
  if (reported !== undefined && isComplete(reported) && reported.finishedAt === null)
    await finishSweep(sweeper, sweepId);
}

async function sweepAndReport(sweeper: Sweeper, shard: Shard, deadline: number): Promise<Run | undefined> {
  const tally = await sweepAll(sweeper, shard, deadline);
  const reported = await sweeper.runs.report(shard.sweepId, shard.number, tally, sweeper.clock.now());
  if (reported !== undefined) await noteRefusals(sweeper, tally.refusedSids);
  if (reported !== undefined) await noteCurrencies(sweeper, tally.currencies);
  return reported;
}

async function sweepAll(sweeper: Sweeper, { accounts, number: _, ...sweep }: Shard, deadline: number): Promise<Tally> {
  const { memory, clock } = sweeper;
  const until = { clock, deadline };
  const recalled = await memory.recall(
    accounts.map(({ accountSid }) => accountSid),
    until,
  );
  const twilio = politeClient(sweeper.twilio, { atOnce: REQUESTS_AT_ONCE, until });
  const limit = pLimit(ACCOUNTS_AT_ONCE);
  const turn = { ...sweep, until, twilio };
  const sweeping = accounts.map((account) =>
    limit(() => sweepAccount(sweeper, account, recalled.get(account.accountSid) ?? UNKNOWN, turn)),
  );
  return sumOf(await Promise.all(sweeping));
}
