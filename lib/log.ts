/**
 * Structured logs: one JSON object a line, which Lambda's JSON log format and CloudWatch Logs Insights read as they are.
 * Callers pass identifiers, counts and reasons; never a token, a request body or a phone number.
 */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** Adds to a CloudWatch metric through the Embedded Metric Format: a log line, not an API call. */
  count(metric: string, value?: number): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** @param write takes one line without its newline; the default is standard output. */
export function jsonLog(write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)): Log {
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      write(JSON.stringify({ level, timestamp: new Date().toISOString(), event, ...fields }));
  return {
    info: at("INFO"),
    warn: at("WARN"),
    error: at("ERROR"),
    count: (metric, value = 1) => write(JSON.stringify(embeddedMetric(metric, value))),
  };
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
function embeddedMetric(metric: string, value: number): object {
  return {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{ Namespace: "Tollbreaker", Dimensions: [[]], Metrics: [{ Name: metric, Unit: "Count" }] }],
    },
    [metric]: value,
  };
}
