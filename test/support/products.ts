import * as assert from "assert";
import { labelStudio, miniflux, n8n, PostgresAppArgs, strapi, unleash } from "../../index";
import { PresetOptions } from "../../components/presets/preset";
import { RunningProduct } from "./product";

/** A product that runs for real: its preset, and how people use it. */
export interface ProductCase {
  /** As tools/images knows it. */
  name: string;
  preset: (options: PresetOptions) => PostgresAppArgs;
  /** The versions that it runs in, one after the other; where there are more than one, the last is what the preset takes by itself. */
  versions: string[];
  /** Tables that it cannot do without. */
  tables: string[];
  /** What it says of itself when it can serve: a path, and the status of the answer. */
  ready: { path: string; status: number };
  /** Statements that it sends at each start and that change nothing then. */
  idle?: RegExp;
  /** Makes something through its own API, and returns what reads it back, with a login of its own each time. */
  use(product: RunningProduct): Promise<() => Promise<void>>;
}

const UNLEASH: ProductCase = {
  name: "unleash",
  preset: unleash,
  versions: ["7.6.5", "8.2.0"],
  tables: ["migrations", "features", "users", "projects"],
  ready: { path: "/ready", status: 200 },
  async use(product) {
    const login = async () => {
      const { UNLEASH_DEFAULT_ADMIN_PASSWORD: password } = await product.secretEnv();
      const { cookies } = await product.get("/auth/simple/login", { method: "POST", body: { username: "admin", password } });
      return { headers: { cookie: cookies } };
    };
    const body = { name: "dark-mode", type: "release", description: "made before" };
    await product.get("/api/admin/projects/default/features", { method: "POST", body, ...(await login()) });
    return async () => {
      const { name, description } = (await product.get("/api/admin/projects/default/features/dark-mode", await login())).json();
      assert.deepStrictEqual({ name, description }, { name: "dark-mode", description: "made before" });
    };
  },
};

const MINIFLUX: ProductCase = {
  name: "miniflux",
  preset: miniflux,
  versions: ["2.3.3"],
  tables: ["schema_version", "users", "categories", "entries"],
  ready: { path: "/readiness", status: 200 },
  async use(product) {
    const login = async () => {
      const { ADMIN_PASSWORD: password } = await product.secretEnv();
      return { headers: { authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}` } };
    };
    await product.get("/v1/categories", { method: "POST", body: { title: "made before" }, ...(await login()) });
    return async () => {
      assert.strictEqual((await product.get("/v1/me", await login())).json().is_admin, true);
      const titles = (await product.get("/v1/categories", await login())).json().map(({ title }: any) => title);
      assert.ok(titles.includes("made before"), titles.join());
    };
  },
};

const N8N: ProductCase = {
  name: "n8n",
  preset: n8n,
  versions: ["2.41.1"],
  tables: ["migrations", "workflow_entity", "user", "credentials_entity"],
  ready: { path: "/healthz/readiness", status: 200 },
  idle: /^statement: CREATE EXTENSION IF NOT EXISTS "uuid-ossp"$/, // of its ORM, whenever it connects
  async use(product) {
    const owner = { email: "owner@example.org", password: "Not-a-secret-1" };
    const setup = { ...owner, firstName: "First", lastName: "Owner" };
    await product.get("/rest/owner/setup", { method: "POST", body: setup });
    const login = async () => {
      const body = { emailOrLdapLoginId: owner.email, password: owner.password };
      return { headers: { cookie: (await product.get("/rest/login", { method: "POST", body })).cookies } };
    };
    const session = await login();
    const workflow = { name: "made before", nodes: [], connections: {}, settings: {} };
    const { data: made } = (await product.get("/rest/workflows", { method: "POST", body: workflow, ...session })).json();
    // Encrypted with the key that the preset has generated.
    const data = { user: "somebody", password: "kept encrypted" };
    const credential = { name: "kept", type: "httpBasicAuth", data };
    const { data: kept } = (await product.get("/rest/credentials", { method: "POST", body: credential, ...session })).json();
    return async () => {
      const again = await login();
      assert.strictEqual((await product.get(`/rest/workflows/${made.id}`, again)).json().data.name, "made before");
      const { data: read } = (await product.get(`/rest/credentials/${kept.id}?includeData=true`, again)).json();
      assert.strictEqual(read.data.user, "somebody");
    };
  },
};

const STRAPI: ProductCase = {
  name: "strapi",
  preset: (options) => strapi({ image: "docker.io/local/strapi:5.54.0", ...options }),
  versions: ["5.54.0"],
  tables: ["strapi_database_schema", "notes", "admin_users"],
  ready: { path: "/_health", status: 204 },
  async use(product) {
    const owner = { email: "owner@example.org", password: "Not-a-secret-1" };
    const register = { ...owner, firstname: "First", lastname: "Owner" };
    await product.get("/admin/register-admin", { method: "POST", body: register });
    const login = async () => {
      const { data } = (await product.get("/admin/login", { method: "POST", body: owner })).json();
      return { headers: { authorization: `Bearer ${data.token}` } };
    };
    const path = "/content-manager/collection-types/api::note.note";
    const { data: made } = (
      await product.get(path, { method: "POST", body: { title: "made before" }, ...(await login()) })
    ).json();
    return async () => {
      const { data } = (await product.get(`${path}/${made.documentId}`, await login())).json();
      assert.strictEqual(data.title, "made before");
    };
  },
};

const LABEL_STUDIO: ProductCase = {
  name: "label-studio",
  preset: labelStudio,
  versions: ["1.23.2"],
  tables: ["django_migrations", "project", "htx_user", "task"],
  ready: { path: "/health/", status: 200 },
  async use(product) {
    const owner = { email: "owner@example.org", password: "Not-a-secret-1" };
    const form = async (path: string, fields: Record<string, string>) => {
      const { cookies } = await product.get(path);
      const token = /csrftoken=([^;]+)/.exec(cookies)![1];
      const headers = {
        cookie: cookies,
        "content-type": "application/x-www-form-urlencoded",
        referer: `https://${product.host}${path}`,
      };
      const body = new URLSearchParams({ ...fields, csrfmiddlewaretoken: token }).toString();
      const answer = await product.get(path, { method: "POST", headers, body });
      assert.strictEqual(answer.status, 302, answer.text.slice(0, 2000));
      return { cookie: answer.cookies, "x-csrftoken": /csrftoken=([^;]+)/.exec(answer.cookies)![1], referer: headers.referer };
    };
    const signedUp = await form("/user/signup/", { ...owner, allow_newsletters: "false" });
    const config = '<View><Text name="text" value="$text"/><Choices name="c" toName="text"><Choice value="a"/></Choices></View>';
    const project = { title: "made before", label_config: config };
    const made = (await product.get("/api/projects/", { method: "POST", headers: signedUp, body: project })).json();
    return async () => {
      const headers = await form("/user/login/", owner);
      assert.strictEqual((await product.get(`/api/projects/${made.id}/`, { headers })).json().title, "made before");
    };
  },
};

export const products = [UNLEASH, MINIFLUX, N8N, STRAPI, LABEL_STUDIO];
