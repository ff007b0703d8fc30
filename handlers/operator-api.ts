import { handle } from "hono/aws-lambda";
import { systemClock } from "../lib/clock.ts";
import { OperatorApiEnv, readConfig } from "../lib/config.ts";
import { dynamoIncidentReader } from "../lib/incidents/dynamo-reader.ts";
import { jsonLog } from "../lib/log.ts";
import { operatorApi } from "../lib/operators/operator-api.ts";
import { operatorsFrom } from "../lib/operators/operators.ts";
import { secretReader } from "../lib/secrets.ts";

// Once per cold start.
const config = readConfig(OperatorApiEnv, process.env);

export const app = operatorApi({
  incidents: dynamoIncidentReader(config.TABLE_NAME),
  operators: operatorsFrom(secretReader(process.env, "OPERATORS")),
  clock: systemClock,
  log: jsonLog(),
});

export const handler = handle(app);
