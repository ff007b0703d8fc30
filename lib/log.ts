import { appendFileSync } from "node:fs";

/**
 * Structured logs: one JSON object a line, which Lambda's JSON log format and CloudWatch Logs Insights read as they are.
 * Callers pass identifiers, counts and reasons; never a token, a request body or a phone number.
 */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /**
   * Adds to a CloudWatch metric through the Embedded Metric Format: a log line, not an API call. `fields` can be
   * searched in the logs, and do not split the metric.
   */
  count(metric: string, value: number, fields?: LogFields): void;
  /** The same for what is measured. */
  measure(metric: string, value: number, unit: "Milliseconds" | "Percent"): void;
}

type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/**
 * Metrics go into the namespace that METRICS_NAMESPACE names: one for each stage, because two that counted into the same
 * one would hide from each other's alarms that they are silent.
 * @param write takes one line without its newline; the default is standard output, or the file that LOG_FILE names.
 */
export function jsonLog(write: (line: string) => void = defaultSink(process.env["LOG_FILE"])): Log {
  const namespace = process.env["METRICS_NAMESPACE"] || "tollbreaker";
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      write(JSON.stringify({ level, timestamp: new Date().toISOString(), event, ...fields }));
  return {
    info: at("INFO"),
    warn: at("WARN"),
    error: at("ERROR"),
    count: (metric, value, fields = {}) =>
      write(JSON.stringify({ ...fields, ...embeddedMetric(namespace, metric, value, "Count") })),
    measure: (metric, value, unit) => write(JSON.stringify(embeddedMetric(namespace, metric, value, unit))),
  };
}

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
function embeddedMetric(Namespace: string, metric: string, value: number, Unit: string): object {
  return {
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{ Namespace, Dimensions: [[]], Metrics: [{ Name: metric, Unit }] }],
    },
    [metric]: value,
  };
}

function defaultSink(file: string | undefined): (line: string) => void {
  return file ? (line) => appendFileSync(file, `${line}\n`) : (line) => process.stdout.write(`${line}\n`);
}
