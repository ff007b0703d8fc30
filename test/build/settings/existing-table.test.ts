import { expect, test } from "vitest";
import { useExistingTable } from "../../../build/settings/existing-table.ts";

const ARN = `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/kept`;
const with_ = (other: unknown) => ({ Resources: { Incidents: { Type: "AWS::DynamoDB::Table" }, Other: other } });
const otherOf = (template: { Resources: Record<string, unknown> }) => template.Resources["Other"];

test("the stack makes no table of its own then", () => {
  expect(useExistingTable(with_({}), "kept").Resources).toEqual({ Other: {} });
});

test.each([
  { written: { Ref: "Incidents" }, becomes: "kept" },
  { written: { "Fn::GetAtt": ["Incidents", "Arn"] }, becomes: { "Fn::Sub": ARN } },
  { written: { "Fn::GetAtt": "Incidents.Arn" }, becomes: { "Fn::Sub": ARN } },
  { written: { "Fn::Sub": `\${Incidents.Arn}/index/by-state` }, becomes: { "Fn::Sub": `${ARN}/index/by-state` } },
  {
    written: { "Fn::Sub": [`\${Incidents}-\${x}`, { x: { Ref: "Incidents" } }] },
    becomes: { "Fn::Sub": [`kept-\${x}`, { x: "kept" }] },
  },
  { written: [{ deep: [{ Ref: "Incidents" }] }], becomes: [{ deep: ["kept"] }] },
  // Of other things, and a text that only looks like a reference.
  { written: { Ref: "IncidentsTopic" }, becomes: { Ref: "IncidentsTopic" } },
  { written: { "Fn::GetAtt": ["Inbox", "Arn"] }, becomes: { "Fn::GetAtt": ["Inbox", "Arn"] } },
  {
    written: { DependsOn: ["Inbox"], text: `\${Incidents}`, none: null, many: 3 },
    becomes: { DependsOn: ["Inbox"], text: `\${Incidents}`, none: null, many: 3 },
  },
])("what refers to it refers to the one that is named: $written", ({ written, becomes }) => {
  expect(otherOf(useExistingTable(with_({ Properties: written }), "kept"))).toEqual({ Properties: becomes });
});

test.each([
  { DependsOn: "Incidents" },
  { DependsOn: ["Inbox", "Incidents"] },
  { Properties: { "Fn::GetAtt": ["Incidents", "StreamArn"] } },
  { Properties: { "Fn::Sub": `\${Incidents.StreamArn}` } },
])("a reference that it cannot follow stops the packaging: %j", (written) => {
  expect(() => useExistingTable(with_(written), "kept")).toThrow(/refer to its name \(!Ref\) or its ARN/);
});
