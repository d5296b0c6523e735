export { AutoscalingArgs } from "./components/app/autoscaling";
export { GeneratedSecretArgs, SecretFormat } from "./components/app/generatedSecrets";
export { CanaryArgs, RolloutArgs } from "./components/app/canary";
export {
  AppServiceArgs,
  AppServiceType,
  GatewayRefArgs,
  HttpRouteArgs,
  IngressArgs,
  IngressController,
  IngressTlsArgs,
} from "./components/app/exposure/exposureArgs";
export { AppProbeArgs, AppProbesArgs } from "./components/app/probes";
export { AppServiceAccountArgs } from "./components/app/serviceAccount";
export { TopologySpreadArgs } from "./components/app/topologySpread";
export { WorkerArgs } from "./components/app/workers";
export { WorkloadKind } from "./components/app/workload";
export { JobPodsArgs } from "./components/common/clusterRules";
export { AppTolerationArgs } from "./components/common/placement";
export { AppContainerArgs } from "./components/app/containers";
export { EnvFromArgs } from "./components/common/envFrom";
export { AppVolumeArgs, VolumeAccessMode } from "./components/app/volumes";
export { ContainerResourcesArgs } from "./components/common/resources";
export { DatabaseBackupsArgs } from "./components/database/backup";
export { BackupClaimArgs, BackupDestinationArgs, BackupS3Args } from "./components/database/backupDestination";
export { CloudNativePgArgs } from "./components/database/cloudNativePg";
export { ConnectionKey } from "./components/database/connection";
export { ClientCertificateArgs } from "./components/database/tlsFiles";
export { AppDatabaseArgs, DatabaseCredentialsArgs, OnDelete, PostgresDatabaseArgs } from "./components/database/databaseArgs";
export { EmbeddedPostgresArgs, EmbeddedTls } from "./components/database/embedded";
export {
  ExternalAdminArgs,
  ExternalPostgresArgs,
  ExternalSecretArgs,
  ExternalTlsArgs,
  TlsMode,
} from "./components/database/external";
export { PostgresDatabase } from "./components/database/postgresDatabase";
export { DatabaseRestoreArgs } from "./components/database/restore";
export {
  MigrationArgs,
  MigrationBackupArgs,
  MigrationJobArgs,
  MigrationRehearsalArgs,
  MigrationRunArgs,
  MigrationStrategy,
  PostDeployMigrationArgs,
} from "./components/migration/migrationArgs";
export { MigrationFileArgs } from "./components/migration/files";
export { MigrationJob } from "./components/migration/migrationJob";
export { MigrationPlanReport, planMigration } from "./components/migration/planAlone";
export { alembic, AlembicOptions, django, DjangoOptions, rails, RailsOptions } from "./components/migration/tools/frameworks";
export {
  drizzle,
  DrizzleOptions,
  knex,
  KnexOptions,
  prisma,
  PrismaOptions,
  sequelize,
  SequelizeOptions,
  typeorm,
  TypeormOptions,
} from "./components/migration/tools/node";
export {
  flyway,
  FlywayOptions,
  golangMigrate,
  GolangMigrateOptions,
  goose,
  GooseOptions,
  liquibase,
  LiquibaseOptions,
} from "./components/migration/tools/sql";
export { MigrationTool } from "./components/migration/tools/tool";
export { MonitorKind, MonitoringArgs } from "./components/monitoring/monitoringArgs";
export { AppNetworkPolicyArgs } from "./components/network/appPolicies";
export { DatabaseNetworkPolicyArgs } from "./components/network/databasePolicies";
export { NetworkDestinationArgs, NetworkPeerArgs, NetworkProtocol } from "./components/network/peers";
export { PostgresApp } from "./components/postgresApp";
export { PostgresAppArgs } from "./components/postgresAppArgs";
export { directus, DirectusOptions } from "./components/presets/directus";
export { discourse } from "./components/presets/discourse";
export { educard } from "./components/presets/educard";
export { ghost } from "./components/presets/ghost";
export { gitlab } from "./components/presets/gitlab";
export { heimdall, HeimdallOptions } from "./components/presets/heimdall";
export { labelStudio, LabelStudioOptions } from "./components/presets/labelStudio";
export { listmonk, ListmonkOptions } from "./components/presets/listmonk";
export { mastodon, MastodonOptions, MastodonSearch, MastodonVapidKeys } from "./components/presets/mastodon";
export { miniflux, MinifluxOptions } from "./components/presets/miniflux";
export { n8n, N8nOptions } from "./components/presets/n8n";
export { outline, OutlineOptions } from "./components/presets/outline";
export { PresetOptions } from "./components/presets/preset";
export { PresetRedis, PresetS3, PresetSmtp } from "./components/presets/services";
export { strapi, StrapiOptions } from "./components/presets/strapi";
export { unleash, UnleashOptions } from "./components/presets/unleash";
export { vikunja, VikunjaOptions } from "./components/presets/vikunja";
export { vulcan, VulcanOptions } from "./components/presets/vulcan";
