import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { settingsFrom } from "../../build/settings/settings.ts";
import { settingsOfTemplate } from "../../build/settings/settings-of-template.ts";
import { EVERY_CASE } from "../support/every-case.ts";
import { type AwsStandIn, startAwsStandIn } from "./aws-stand-in.ts";
import { environmentOf } from "./deployed.ts";
import { type Home, makeHome, type Packaged, packageStack, packageStage } from "./packaged.ts";
import { referencesIn } from "./references.ts";
import { actionsOf, allStatements } from "./statements.ts";

// Only ends what hangs: a busy machine may take a minute for one packaging.
const PACKAGING = 400_000;
const TABLE = "tollbreaker-prod-Incidents-1ABCDEFGHIJKL";
const ENFORCING = "mode: enforce\nalertsEmail: duty@example.com\n";
const OBSERVING = "mode: observe\nalertsEmail: duty@example.com\n";
const ALL = {
  ...{ mode: "enforce", alertsEmail: "duty@example.com", publicUrl: "https://tollbreaker.example.com" },
  ...{ slackChannel: "C012ABCDEF", slackTeam: "T012ABCDEF", dailySummary: "on", responders: "10", table: TABLE },
};
const COMPLETE = Object.entries(ALL)
  .map(([name, value]) => `${name}: ${value}\n`)
  .join("");

let byDefault: Packaged;
let enforcing: Packaged;
let complete: Packaged;
beforeAll(async () => {
  byDefault = await packageStack();
  enforcing = await packageStage({ file: ENFORCING });
  complete = await packageStage({ file: COMPLETE });
}, PACKAGING);
afterAll(() => Promise.all([byDefault, enforcing, complete].map((packaged) => packaged?.remove())));

const modeOf = ({ template }: Packaged, id = "RespondLambdaFunction") => environmentOf(template, id).deployed["MODE"];

describe("packaging", () => {
  test.each(["RespondLambdaFunction", "SweepShardLambdaFunction", "OperatorApiLambdaFunction", "SlackLambdaFunction"])(
    "without a file of the stage %s observes; with one that says so it enforces",
    (id) => {
      expect(modeOf(byDefault, id)).toBe("observe");
      expect(modeOf(enforcing, id)).toBe("enforce");
    },
  );

  test("keeps the e-mail subscription of the file, without a single --param", () => {
    expect(enforcing.template.Resources["AlertsToEmail"]?.Properties["Endpoint"]).toBe("duty@example.com");
  });

  test("says what will be deployed, where each value is from, and what that means", () => {
    expect(enforcing.output).toContain("Settings of the stage test, from stages/test.yml:");
    expect(enforcing.output).toMatch(/ mode +enforce {2}\(suspends what the policy says\)/);
    expect(enforcing.output).toMatch(/ alertsEmail +duty@example\.com\n/);
    expect(enforcing.output).toMatch(/ responders +2 {2}\(default\)/);
    expect(enforcing.output).toContain("It enforces: accounts over their limits are suspended.");
    expect(enforcing.output).not.toContain("--param overrides");
    expect(byDefault.output).toContain("without stages/test.yml, which does not exist");
    expect(byDefault.output).toContain("It observes: nothing is suspended until stages/test.yml says `mode: enforce`.");
    expect(byDefault.output).toContain("Nobody is told by e-mail or by a Slack app");
  });

  test(
    "says what --param changes against the file, and when it is the policy that observes all the same",
    async () => {
      const home = await makeHome(OBSERVING);
      await home.writePolicy("mode: observe\n");
      const output = await home.serverless(["package", "--param=mode=enforce", "--param=responders=2"]);
      await home.remove();
      expect(output).toMatch(/ mode +enforce {2}\(suspends what the policy says; by --param\)/);
      expect(output).toContain("--param overrides the file this time only");
      expect(output).toContain("  mode: enforce instead of observe, as stages/test.yml has it\n");
      expect(output).not.toMatch(/responders: \d/);
      expect(output).toContain("It observes: policy.yml says `mode: observe`, and either is enough.");
    },
    PACKAGING,
  );

  test(
    "is stopped by whatever is wrong in the file and in --param, all of it by name",
    async () => {
      const file = "mod: observe\nalertsEmail: duty\n";
      const parameters = ["mod=observe", "Mode=", "alertEmail=", "mode=observ"];
      const refused = await packageStage({ file, parameters }).then(
        () => "it was packaged",
        (error: Error) => error.message,
      );
      expect(refused).toContain("The settings of the stage test cannot be used: 6 problems.");
      for (const about of ["stages/test.yml:1:1 mod", "--param mod", "--param Mode", "--param alertEmail"])
        expect(refused).toContain(`\n${about}: There is no such setting. Did you mean \``);
      expect(refused).toContain("\nstages/test.yml:2:14 alertsEmail: Expected one e-mail address");
      expect(refused).toContain("\n--param mode: Expected `enforce` or `observe`");
    },
    PACKAGING,
  );

  test(
    "is stopped by params in serverless.yml, which once were read",
    async () => {
      const home = await makeHome(ENFORCING);
      await appendFile(join(home.path, "serverless.yml"), "\nparams:\n  prod:\n    mode: observe\n");
      await expect(home.serverless(["package"])).rejects.toThrow(
        "serverless.yml params: Nothing reads them. Write your settings in stages/test.yml",
      );
      await home.remove();
    },
    PACKAGING,
  );
});

describe("the settings of a template", () => {
  test("are those it was packaged with", () => {
    expect(settingsOfTemplate(byDefault.template)).toEqual(settingsFrom(() => undefined));
    expect(settingsOfTemplate(complete.template)).toEqual(ALL);
  });

  test("are none before there are functions", () => {
    expect(settingsOfTemplate({ Resources: { ServerlessDeploymentBucket: {} } })).toBeUndefined();
    expect(settingsOfTemplate(undefined)).toBeUndefined();
  });
});

describe("an existing table that the stage names", () => {
  test("stands in the place of the stack's own, which is not made", () => {
    expect(Object.values(complete.template.Resources).filter(({ Type }) => Type === "AWS::DynamoDB::Table")).toEqual(
      [],
    );
    expect(referencesIn(complete.template).resources).not.toContain("Incidents");
    expect(complete.template.Outputs["TableName"]?.Value).toBe(TABLE);
  });

  test("is what each function that has a table is given, and has rights on", () => {
    const uses = (packaged: Packaged, value: unknown) =>
      Object.entries(packaged.template.Resources)
        .filter(([, { Properties }]) => JSON.stringify(Properties).includes(`"TABLE_NAME":${JSON.stringify(value)}`))
        .map(([id]) => id);
    expect(uses(complete, TABLE)).toEqual(uses(byDefault, { Ref: "Incidents" }));
    expect(uses(complete, TABLE)).toHaveLength(7);

    const onTables = (packaged: Packaged) =>
      allStatements(packaged.template).filter((one) => actionsOf(one).some((action) => action.startsWith("dynamodb:")));
    const arn = `arn:\${AWS::Partition}:dynamodb:\${AWS::Region}:\${AWS::AccountId}:table/${TABLE}`;
    const expected = JSON.stringify(onTables(byDefault))
      .replaceAll('{"Fn::GetAtt":["Incidents","Arn"]}', JSON.stringify({ "Fn::Sub": arn }))
      .replaceAll(`\${Incidents.Arn}`, arn);
    expect(onTables(complete)).toEqual(JSON.parse(expected));
    expect(onTables(complete).length).toBeGreaterThan(15);
  });

  test("does not undo the Retain of the table that the stack would make", () => {
    expect(byDefault.template.Resources["Incidents"]).toMatchObject({
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
    });
  });
});

const CHANGES_SOMETHING = /^(Create|Execute|Update|Delete|PUT|POST)/;

describe("with what is deployed", () => {
  /** Each starts the command line of Serverless. */
  const whole = test.runIf(EVERY_CASE);
  let aws: AwsStandIn;
  let home: Home;
  afterEach(async () => {
    await aws.close();
    await home.remove();
  });

  async function prepare(given: { file?: string; deployed?: unknown; kept?: unknown }): Promise<void> {
    aws = await startAwsStandIn({ deployed: given.deployed ?? null, kept: given.kept ?? {} });
    home = await makeHome(given.file);
  }
  /** What a person saw: the stand-in refuses what changes something, so that no run ends well. */
  const seenOf = (...options: string[]) =>
    home.serverless(options, aws.environment).then(
      () => "it ended well",
      (error: Error) => error.message,
    );
  // Already packaged, which is most of the work.
  const deploy = ({ directory }: Packaged) => seenOf("deploy", "--package", directory);
  const rollBack = (...options: string[]) => seenOf("rollback", "--timestamp", "2026-01-02T03:04:05.678Z", ...options);

  test(
    "a deployment without a file of the stage is refused, and says how to make it",
    async () => {
      await prepare({ deployed: enforcing.template });
      await writeFile(join(home.path, "stages/tests.yml"), ENFORCING);
      const seen = await seenOf("deploy");
      expect(seen).toContain("The stage test has no settings. Expected: a file stages/test.yml.");
      expect(seen).toContain("did you mean --stage tests?");
      expect(seen).toContain("Fix: cp stages/prod.example.yml stages/test.yml");
      expect(aws.requests).toEqual([]);
    },
    PACKAGING,
  );

  test(
    "a deployment says what it changes, before it changes anything",
    async () => {
      await prepare({ file: "mode: observe\n", deployed: enforcing.template });
      const seen = await deploy(byDefault);
      expect(seen).toContain("Of the settings that are deployed now, this changes:");
      expect(seen).toContain("  mode: enforce becomes observe (it will suspend nothing)\n");
      expect(seen).toContain(
        "  alertsEmail: duty@example.com becomes none (duty@example.com gets no alerts any more)\n",
      );
      expect(seen).not.toMatch(/responders: \d/);
      const read = aws.requests.indexOf("GetTemplate");
      expect(read).toBeGreaterThanOrEqual(0);
      expect(aws.requests.slice(0, read).filter((asked) => CHANGES_SOMETHING.test(asked))).toEqual([]);
    },
    PACKAGING,
  );

  whole(
    "the first deployment says that it is one",
    async () => {
      await prepare({ file: "mode: observe\n" });
      expect(await deploy(byDefault)).toContain("Nothing is deployed yet: all of these settings are new.");
    },
    PACKAGING,
  );

  test(
    "what was packaged with other settings is not deployed",
    async () => {
      await prepare({ file: OBSERVING, deployed: byDefault.template });
      const seen = await deploy(enforcing);
      expect(seen).toContain("What is to be deployed was packaged with other settings. Nothing was changed.");
      expect(seen).toContain('the same command with --param="mode=enforce"');
      expect(aws.requests.filter((asked) => asked === "GetTemplate" || CHANGES_SOMETHING.test(asked))).toEqual([]);
    },
    PACKAGING,
  );

  whole(
    "a table that is not there, or not ours, stops a deployment that names it",
    async () => {
      await prepare({ file: COMPLETE, deployed: enforcing.template });
      expect(await deploy(complete)).toContain(`The table ${TABLE}, which the stage names, cannot be used.`);
      expect(aws.requests.filter((asked) => CHANGES_SOMETHING.test(asked))).toEqual([]);
    },
    PACKAGING,
  );

  test(
    "a rollback to another mode, or to no e-mail subscription, is refused unless it is said",
    async () => {
      await prepare({ file: ENFORCING, deployed: enforcing.template, kept: byDefault.template });
      const refused = await rollBack();
      expect(refused).toContain("A rollback brings back the settings of that deployment with its code");
      expect(refused).toContain("  mode: enforce becomes observe (it will suspend nothing)\n");
      expect(refused).toContain(
        "  alertsEmail: duty@example.com becomes none (duty@example.com gets no alerts any more)\n",
      );
      expect(refused).toContain('--param="mode=observe" --param="alertsEmail=none"');
      expect(aws.requests).toContainEqual(expect.stringContaining("1767323045678-2026-01-02T03:04:05.678Z"));
      expect(aws.requests).not.toContain("GetTemplate");
      expect(aws.requests).not.toContainEqual(expect.stringContaining("list-type"));
    },
    PACKAGING,
  );

  whole(
    "a rollback that is said goes on, and says what it changes of what is deployed",
    async () => {
      await prepare({ file: ENFORCING, deployed: enforcing.template, kept: byDefault.template });
      const seen = await rollBack("--param=mode=observe", "--param=alertsEmail=none");
      expect(seen).toContain("Of the settings that are deployed now, this changes:");
      expect(seen).toContain("Rolling back tollbreaker to timestamp");
      expect(aws.requests).toContainEqual(expect.stringContaining("list-type"));
    },
    PACKAGING,
  );

  whole(
    "a rollback to the same settings needs no words",
    async () => {
      await prepare({ file: ENFORCING, deployed: enforcing.template, kept: enforcing.template });
      const seen = await rollBack();
      expect(seen).toContain("The settings are those that are deployed already.");
      expect(seen).toContain("Rolling back tollbreaker to timestamp");
    },
    PACKAGING,
  );

  whole(
    "removing a stack needs no right file",
    async () => {
      await prepare({ file: "mod: enforce\n", deployed: enforcing.template });
      expect(await seenOf("remove")).not.toContain("There is no such setting");
      expect(aws.requests.length).toBeGreaterThan(0);
    },
    PACKAGING,
  );
});
