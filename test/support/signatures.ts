import { formCheck, type SignedForm, type SignedText, textCheck } from "../../lib/twilio/signature.ts";

/** Whether `authToken` signed the form: the check of one request, made and used at once. */
export function isSignedWith(authToken: string, signature: string | undefined, signed: SignedForm): boolean {
  return formCheck(signature, signed)(authToken);
}

/** The same of a text. */
export function isTextSignedWith(authToken: string, signature: string | undefined, signed: SignedText): boolean {
  return textCheck(signature, signed)(authToken);
}
