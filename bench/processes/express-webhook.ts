import express from "express";
import twilio from "twilio";
import { WEBHOOK_PATH } from "../firing.ts";
import { serveMeasured } from "./measured-server.ts";

/** The webhook as Twilio's documentation has it: https://www.twilio.com/docs/usage/tutorials/how-to-secure-your-express-app-by-validating-incoming-twilio-requests */
const [publicUrl = "", , authToken = ""] = process.argv.slice(2);
const url = publicUrl + WEBHOOK_PATH;
const stored = new Map<string, string>();
const app = express();
app.post(
  WEBHOOK_PATH,
  express.urlencoded({ extended: false }),
  twilio.webhook(authToken, { url }),
  (request, answer) => {
    stored.set(request.body.IdempotencyToken, JSON.stringify(request.body));
    answer.status(204).end();
  },
);

serveMeasured(app);
