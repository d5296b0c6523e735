import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp } from "../../index";
import { graph } from "./graph";

/** What the component says about wrong arguments. They come from JavaScript and YAML too, so types do not protect. */
export async function refusal(args: object, name = "notes"): Promise<string> {
  let message = "";
  const { order } = await graph(() => {
    try {
      new PostgresApp(name, args as never);
    } catch (error) {
      assert.ok(pulumi.InputPropertiesError.isInstance(error), String(error));
      message = error.message;
    }
  });
  if (message) assert.deepStrictEqual(order, [], "something was created");
  else assert.ok(order.length > 0, "nothing was created");
  return message;
}
