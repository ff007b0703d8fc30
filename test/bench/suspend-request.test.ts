import { expect, it } from "vitest";
import { suspendRequest } from "../../bench/suspend-request.ts";

const path = "/api/2010-04-01/Accounts/AC1.json";
const at = (begun: number, what: string) => ({ what, begun, ended: begun + 1, status: 200 });

it("is the first POST to the account itself", () => {
  const exchanges = [
    at(1, `GET ${path}`),
    at(2, "POST /api/2010-04-01/Accounts/AC2.json"),
    at(3, `POST ${path}`),
    at(4, `POST ${path}`),
  ];
  expect(suspendRequest("AC1", { exchanges })).toEqual(at(3, `POST ${path}`));
});

it("fails where the account was only read", () => {
  const exchanges = [at(1, `GET ${path}`)];
  expect(() => suspendRequest("AC1", { exchanges })).toThrow(
    expect.objectContaining({ code: "bench-never-suspended" }),
  );
});
