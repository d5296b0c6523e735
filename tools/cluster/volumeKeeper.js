// Keeps a few `local` PersistentVolumes free, each a folder of its own, as a provisioner would make them on demand: a volume
// that was released is deleted with its data, and a new empty one takes its place. The StorageClass knows no provisioner for
// folders of the node to which Kubernetes applies fsGroup, so this stands in for one, and for the resizer that goes with it.
// node volumeKeeper.js SERVER PKI_FOLDER VOLUMES_FOLDER NODE MODE=FREE...
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const path = require("node:path");

const [server, pki, folder, node, ...modes] = process.argv.slice(2);
/** How many volumes are kept free of each access mode: none can be of ReadWriteOncePod and another. */
const wanted = modes.map((mode) => mode.split("="));
const keeper = "volume-keeper";
const volumes = "/api/v1/persistentvolumes";
const claims = "/api/v1/persistentvolumeclaims";
const agent = new https.Agent({
  keepAlive: true,
  ca: fs.readFileSync(path.join(pki, "ca.crt")),
  cert: fs.readFileSync(path.join(pki, `${keeper}.crt`)),
  key: fs.readFileSync(path.join(pki, `${keeper}.key`)),
});

/** Sends one request; resolves with the response once its status is known to be good. */
function send(method, url, body, type = "application/json") {
  return new Promise((resolve, reject) => {
    const request = https.request(server + url, { method, agent, headers: { "content-type": type } }, (response) => {
      if (response.statusCode < 300) return resolve(response);
      read(response).then((text) => reject(new Error(`${method} ${url}: ${response.statusCode} ${text}`)), reject);
    });
    // A watch is ended by the server after at most its timeout: a silent connection is a dead one.
    request.setTimeout(90_000, () => request.destroy(new Error(`${method} ${url}: no answer`)));
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });
}

async function read(response) {
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  return text;
}

const call = async (...request) => JSON.parse(await read(await send(...request)));
const patch = (url, body) => call("PATCH", `${url}?fieldManager=${keeper}`, body, "application/merge-patch+json");
const log = (message) => console.error(new Date().toISOString(), message);

function volume(name, mode) {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: {
      name,
      // Tells Kubernetes that deleting a released volume is somebody's job, and remembers whose.
      annotations: { "pv.kubernetes.io/provisioned-by": keeper },
    },
    spec: {
      storageClassName: "local",
      capacity: { storage: "10Gi" },
      accessModes: [mode],
      persistentVolumeReclaimPolicy: "Delete",
      local: { path: path.join(folder, name) },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }],
        },
      },
    },
  };
}

async function create(mode) {
  const name = `local-${randomBytes(5).toString("hex")}`;
  fs.mkdirSync(path.join(folder, name));
  try {
    await call("POST", volumes, volume(name, mode));
  } catch (error) {
    fs.rmdirSync(path.join(folder, name));
    throw error;
  }
}

/** The object goes first: what is left when this is interrupted is a folder that nothing names, never a volume without one. */
async function remove(name) {
  await call("DELETE", `${volumes}/${name}`);
  await fs.promises.rm(path.join(folder, name), { recursive: true, force: true });
}

const mine = (pv) => pv.metadata.annotations?.["pv.kubernetes.io/provisioned-by"] === keeper && !pv.metadata.deletionTimestamp;

/** Deletes what was released and fills up what is free. */
async function tidy(all) {
  const ours = all.filter(mine);
  for (const pv of ours) {
    const disposable = pv.spec.persistentVolumeReclaimPolicy === "Delete";
    if (pv.status.phase === "Released" && disposable) await remove(pv.metadata.name);
  }
  // One that was made a moment ago is not Available yet. One that the scheduler has just taken is still Available.
  const available = ours.filter((pv) => !pv.spec.claimRef && pv.status.phase !== "Failed");
  for (const [mode, number] of wanted) {
    let there = available.filter((pv) => pv.spec.accessModes.includes(mode)).length;
    for (; there < Number(number); there++) await create(mode);
  }
}

const EXPONENTS = ["", "k", "M", "G", "T", "P", "E"];

/** The number behind a quantity: `10Gi`, `500M`, `1.5e3`; not a number for thousandths of a byte. */
function bytes(quantity) {
  const [, number, letter = "", binary] = /^([\d.]+(?:[eE][+-]?\d+)?)([kKMGTPE]?)(i?)$/.exec(quantity) ?? [];
  return Number(number) * (binary ? 1024 : 1000) ** EXPONENTS.indexOf(letter.replace("K", "k"));
}

/** What Kubernetes and the kubelet say of a claim while it is resized. */
const RESIZING = ["Resizing", "FileSystemResizePending", "ControllerResizeError", "NodeResizeError"];

/** Gives claims the size that they ask for by now. A folder has no limit, so there is nothing to do but to say so. */
async function grow(all) {
  for (const claim of all) {
    const { name, namespace, uid } = claim.metadata;
    const { storage } = claim.spec.resources.requests;
    const { phase, capacity, conditions = [] } = claim.status;
    const isToGrow = phase === "Bound" && bytes(storage) > bytes(capacity.storage);
    if (!isToGrow) continue;
    const pv = await call("GET", `${volumes}/${claim.spec.volumeName}`);
    if (!mine(pv) || pv.spec.claimRef?.uid !== uid) continue;
    await patch(`${volumes}/${pv.metadata.name}`, { spec: { capacity: { storage } } });
    const status = {
      capacity: { storage },
      allocatedResources: null,
      allocatedResourceStatuses: null,
      conditions: conditions.filter(({ type }) => !RESIZING.includes(type)),
    };
    await patch(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}/status`, { status });
    log(`${namespace}/${name}: ${pv.metadata.name} grew from ${capacity.storage} to ${storage}`);
  }
}

/** Returns at the first change after the version, or after a minute without one. */
async function change(url, version) {
  const response = await send("GET", `${url}?watch=1&timeoutSeconds=60&resourceVersion=${version}`);
  for await (const part of response) {
    if (part.length) break;
  }
  response.destroy();
}

/** Acts on a list whenever something in it changes. */
async function keep(url, act) {
  for (;;) {
    try {
      const list = await call("GET", url);
      await act(list.items);
      await change(url, list.metadata.resourceVersion);
    } catch (error) {
      log(error.message);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

keep(volumes, tidy);
keep(claims, grow);
