import type { SQSRecord } from "aws-lambda";
import { handler } from "../../handlers/respond.ts";

// A function's life in a process of its own: starts cold, handles the event that EVENT holds, says what came of it.

const Records: SQSRecord[] = JSON.parse(process.env["EVENT"] ?? "[]");
const endsAt = Date.now() + 25_000;
const result = await handler({ Records }, { getRemainingTimeInMillis: () => endsAt - Date.now() });
process.stdout.write(JSON.stringify(result), () => process.exit(0));
