/** What one part of a CloudFormation template says of another: its resources, conditions and pseudo parameters. */
export interface References {
  resources: string[];
  conditions: string[];
}

/** Every name that `value` refers to: Ref, Fn::GetAtt, Fn::Sub, Fn::If, DependsOn and Condition, however deep. */
export function referencesIn(value: unknown): References {
  const found: References = { resources: [], conditions: [] };
  collect(value, found);
  return found;
}

function collect(value: unknown, found: References): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      note(key, inner, found);
      collect(inner, found);
    }
  }
}

function note(key: string, value: unknown, found: References): void {
  const [first] = Array.isArray(value) ? value : [value];
  if (key === "Ref" || key === "Fn::GetAtt") found.resources.push(String(first));
  if (key === "DependsOn") found.resources.push(...[value].flat().map(String));
  if (key === "Fn::Sub")
    for (const [, name = ""] of String(first).matchAll(/\$\{([\w:]+)/g)) found.resources.push(name);
  // A policy's Condition is an object; a resource's names one of the template.
  if (key === "Fn::If" || (key === "Condition" && typeof value === "string")) found.conditions.push(String(first));
}

/**
 * The resources that wait for each other in a circle, which CloudFormation refuses: what is left when everything is
 * taken away that waits for nothing.
 */
export function waitingInCircles(resources: Readonly<Record<string, unknown>>): string[] {
  const waits = new Map(Object.entries(resources).map(([id, resource]) => [id, referencesIn(resource).resources]));
  const ready = () => [...waits].filter(([, others]) => !others.some((other) => waits.has(other))).map(([id]) => id);
  for (let next = ready(); next.length > 0; next = ready()) for (const id of next) waits.delete(id);
  return [...waits.keys()];
}
