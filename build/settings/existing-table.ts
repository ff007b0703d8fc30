/** A resource of the template, by its logical id. */
const TABLE = "Incidents";

interface Template {
  Resources: Record<string, unknown>;
}

/**
 * The template with the existing table `name` in place of the one that it would make: whatever refers to that one, the
 * functions' variables and their rights among it, refers to this. A stack that made a table of its own keeps it, because
 * of its DeletionPolicy.
 *
 * @param name of a table in the same AWS account and region
 * @throws Error when something refers to the table in a way that this does not know
 */
export function useExistingTable(template: Template, name: string): Template {
  const { [TABLE]: _, ...resources } = template.Resources;
  return new Substitution(name).object({ ...template, Resources: resources });
}

class Substitution {
  readonly #name: string;
  readonly #arn: string;

  constructor(name: string) {
    this.#name = name;
    this.#arn = `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/${name}`;
  }

  object<T extends object>(node: T): T {
    return Object.assign({}, ...Object.entries(node).map(([key, value]) => ({ [key]: this.#value(key, value) })));
  }

  #value(key: string, value: unknown): unknown {
    if (key === "Fn::Sub") return this.#inSub(value);
    if (key === "DependsOn" && [value].flat().includes(TABLE)) throw unknownReference(key, value);
    return this.#node(value);
  }

  #node(node: unknown): unknown {
    if (Array.isArray(node)) return node.map((item) => this.#node(item));
    if (typeof node !== "object" || node === null) return node;
    if ("Ref" in node && node.Ref === TABLE) return this.#name;
    if ("Fn::GetAtt" in node && isOfTable(node["Fn::GetAtt"])) return { "Fn::Sub": this.#arnOf(node["Fn::GetAtt"]) };
    return this.object(node);
  }

  #arnOf(attribute: unknown): string {
    if (!["Arn", `${TABLE}.Arn`].includes(String([attribute].flat().at(-1))))
      throw unknownReference("Fn::GetAtt", attribute);
    return this.#arn;
  }

  #inSub(value: unknown): unknown {
    if (Array.isArray(value))
      return value.map((item) => (typeof item === "string" ? this.#text(item) : this.#node(item)));
    return typeof value === "string" ? this.#text(value) : value;
  }

  #text(text: string): string {
    const replaced = text.replaceAll(`\${${TABLE}.Arn}`, this.#arn).replaceAll(`\${${TABLE}}`, this.#name);
    if (replaced.includes(`\${${TABLE}.`)) throw unknownReference("Fn::Sub", text);
    return replaced;
  }
}

function isOfTable(attribute: unknown): boolean {
  const [first] = [attribute].flat();
  return first === TABLE || String(first).startsWith(`${TABLE}.`);
}

function unknownReference(how: string, value: unknown): Error {
  return new Error(
    `With an existing table, nothing can refer to the attribute ${JSON.stringify(value)} (${how}) of ${TABLE}: ` +
      "refer to its name (!Ref) or its ARN.",
  );
}
