import fc from "fast-check";

/**
 * fast-check as the tests use it: the same cases in each run, so that what passed once passes again. `SEED` in the
 * environment gives other cases (docs/testing.md).
 */
fc.configureGlobal({ seed: Number(process.env["SEED"] ?? 1) });

export default fc;
