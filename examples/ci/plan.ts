import { writeFileSync } from "fs";
import { planMigration, sequelize } from "pulumi-postgres-app";

// What the migration of an image would do to the database that is running, for a job on a pull request (plan.yml): `npx tsx plan.ts <image>`.
// MIGRATION_CONNECTION is what the running program exports: export const migrationConnection = notes.database.migrationConnection;
//   MIGRATION_CONNECTION=$(pulumi stack output migrationConnection --json --stack your-organization/notes/production)
const { secretName, keys, values, caSecretName, clientCertificate, formats } = JSON.parse(
  process.env.MIGRATION_CONNECTION ?? "{}",
);
const tool = sequelize();

async function main(image: string): Promise<void> {
  const plan = await planMigration("notes-migration", {
    image,
    command: tool.migrate,
    pending: tool.status,
    rehearsal: {},
    namespace: "notes", // the application's
    connectionSecretName: secretName,
    connectionKeys: keys,
    connectionValues: values,
    connectionCaSecretName: caSecretName,
    connectionClientCertificate: clientCertificate,
    connectionFormats: formats,
    // And what the application's migration has: env, secretEnv, runAsUser, imagePullSecrets, jobs, imageRegistry.
  });
  console.log(plan.text);
  writeFileSync("migration-plan.json", JSON.stringify(plan, undefined, 2));
  process.exitCode = plan.allowed ? 0 : 1;
}

void main(process.argv[2]);
