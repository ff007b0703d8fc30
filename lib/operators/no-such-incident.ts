import { type Problem, quote } from "../http/problem.ts";

export function noSuchIncident(id: string): Problem {
  return {
    status: 404,
    code: "incident-not-found",
    title: "No such incident",
    detail: "There is no incident with this id.",
    expected: "an id from GET /api/incidents, such as 20261121T030405123-1f3a9c2e",
    got: quote(id),
    fix: "list the incidents to find its id",
  };
}
