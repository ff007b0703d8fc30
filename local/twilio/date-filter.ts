/**
 * Twilio's three ways to filter by a time: `Name=day`, `Name<=...` and `Name>=...`, where the parameters' names are
 * `Name`, `Name<` and `Name>`. Something that has not happened matches only where no filter is given.
 */
export function happenedIn(query: URLSearchParams, name: string, date: Date | null): boolean {
  const asked = { on: query.get(name), before: query.get(`${name}<`), after: query.get(`${name}>`) };
  if (asked.on === null && asked.before === null && asked.after === null) return true;
  if (date === null) return false;
  return isOn(asked.on, date) && isBefore(asked.before, date) && isAfter(asked.after, date);
}

const isOn = (day: string | null, date: Date) => day === null || date.toISOString().slice(0, 10) === isoDay(day);
const isBefore = (limit: string | null, date: Date) => limit === null || date <= new Date(limit);
const isAfter = (limit: string | null, date: Date) => limit === null || date >= new Date(limit);

function isoDay(text: string): string | undefined {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString().slice(0, 10);
}
