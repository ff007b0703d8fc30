/**
 * `EVERY_CASE=1 npm test` also tries what is left out otherwise because each takes many seconds: every death of a process,
 * every seeded defect, every row of the bench, every answer of a deployment (docs/testing.md).
 */
export const EVERY_CASE = process.env["EVERY_CASE"] === "1";
