import { messageOf, TollbreakerError } from "../errors.ts";

/** @throws TollbreakerError `incidents-unreadable`, whatever `read` rejects with. */
export async function readRecord<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new TollbreakerError("incidents-unreadable", "The incidents could not be read from the table.", {
      got: messageOf(cause),
      fix: "check TABLE_NAME, the function's permission to read the table and its indexes, and the state of DynamoDB",
      cause,
    });
  }
}
