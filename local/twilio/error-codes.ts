/** The error codes that the simulator raises: https://www.twilio.com/docs/api/errors */
const CODES = new Map<number, { name: string; product: string }>([
  [11200, { name: "HTTP retrieval failure", product: "Programmable Voice" }],
  [20005, { name: "Account not active", product: "Programmable Voice" }],
  [30002, { name: "Account suspended", product: "Programmable Messaging" }],
  [30003, { name: "Unreachable destination handset", product: "Programmable Messaging" }],
  [30450, { name: "Message delivery blocked", product: "Programmable Messaging" }],
  [30453, { name: "Message couldn't be delivered", product: "Programmable Messaging" }],
  [32201, { name: "SIP: Source IP address not in ACL", product: "SIP" }],
  [32202, { name: "SIP: Bad user credentials", product: "SIP" }],
  [32203, { name: "SIP: Call blocked by Twilio", product: "SIP" }],
  [60410, { name: "Verification delivery attempt blocked", product: "Verify" }],
]);

/** Twilio's own name for the error; a sentence with the number for a code that the simulator never raises by itself. */
export const nameOfError = (code: number): string => CODES.get(code)?.name ?? `Error ${code}`;

export const productOfError = (code: number): string => CODES.get(code)?.product ?? "Programmable Voice";
