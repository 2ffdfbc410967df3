// Starts servers through @aztec/bb.js, unchanged, in many ways, ends them in as many, and prints as JSON what was seen and how many
// processes are left.
//
//   node bbjs_ends.mjs BBJS SERVER WRAPPER FOLDER
//   node bbjs_ends.mjs BBJS SERVER - - KIND      is killed 40 ms after the spawn of a server of that kind
//
// BBJS: the unpacked package; SERVER: what is started in place of bb; WRAPPER: the same, by a shell that waits for it; FOLDER: has
// crs/ with reference strings, vk and fields (a flat proof), and gets the FIFO.
import fs from 'node:fs';
import path from 'node:path';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

const [bbjs, server, wrapper, folder, kind] = isMainThread ? process.argv.slice(2) : workerData;
const { BackendType, Barretenberg, BarretenbergSync } = await import(path.join(bbjs, 'dest/node/index.js'));
const { NativeSharedMemory, NativeUnixSocket } = BackendType;

// Servers of this process: it has its number in their arguments.
const ours = new RegExp(`bb-(a?sync-)?${process.pid}-`);
const processes = () =>
  fs.readdirSync('/proc').filter(entry => {
    try {
      return /^\d+$/.test(entry) && ours.test(fs.readFileSync(`/proc/${entry}/cmdline`, 'latin1'));
    } catch {
      return false;
    }
  });

// bb.js gives a server three or five seconds, which a loaded machine may need to start it. What it gave up at a socket it
// leaves running.
async function again(open) {
  const before = new Set(processes());
  for (let attempt = 0; ; ++attempt) {
    try {
      return await open();
    } catch (error) {
      if (attempt === 20) throw error;
      processes().filter(pid => !before.has(pid)).forEach(pid => process.kill(pid));
    }
  }
}

const once = {
  sync: bbPath => BarretenbergSync.new({ backend: NativeSharedMemory, bbPath }),
  async: bbPath => Barretenberg.new({ backend: NativeSharedMemory, bbPath, threads: 1 }),
  socket: bbPath => Barretenberg.new({ backend: NativeUnixSocket, bbPath, threads: 1 }),
};
const ways = Object.fromEntries(Object.entries(once).map(([name, open]) => [name, bbPath => again(() => open(bbPath))]));
const hex = bytes => Buffer.from(bytes).toString('hex');
const hash = async api => hex((await api.blake2s({ data: Buffer.from('abc') })).hash);
const word = value => new Uint8Array(Buffer.from(BigInt(value).toString(16).padStart(64, '0'), 'hex'));

if (!isMainThread) {
  // Not the asynchronous client of shared memory: a thread of its own outlives its worker, and ends the process.
  const seen = [await hash(await ways.sync(server)), await hash(await ways.socket(server))];
  parentPort.postMessage(seen);
  process.exit(0); // ends the thread, and nothing is destroyed
}
if (kind) {
  const opening = once[kind](server);
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 40);
  await opening;
  setTimeout(() => {}, 60_000);
  await new Promise(() => {});
}

const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
// How many there are, once there are no more than expected.
async function left(expected = 0) {
  for (let i = 0; i < 600 && processes().length > expected; ++i) await sleep(100);
  return processes().length - expected;
}

const seen = { left: {} };

// The synchronous client, named and by default, in which it must not fall back to WebAssembly.
const named = await ways.sync(server);
seen.named = await hash(named);
const chosen = await again(async () => {
  const api = await BarretenbergSync.new({ bbPath: server });
  if (api.backend.constructor.name.includes('Wasm')) throw new Error('fell back to WebAssembly');
  return api;
});
seen.chosen = [chosen.backend.constructor.name, await hash(chosen)];
seen.permutation = hex(chosen.poseidon2Permutation({ inputs: [0, 0, 0, 0].map(word) }).outputs[0]);
seen.inStep = Array.from({ length: 500 }, (_, index) => hex(named.blake2s({ data: Buffer.from(`request ${index}`) }).hash));
try {
  named.bn254G1Mul({ point: { x: word(1), y: word(3) }, scalar: word(2) });
} catch (error) {
  seen.error = error.message;
}
seen.afterError = await hash(named);
seen.running = processes().length;
named.destroy();
chosen.destroy();
seen.left.destroyed = await left();

// The verifier of a node: reference strings, then proofs by a queue whose results come on a FIFO.
const api = await Barretenberg.new({ backend: NativeUnixSocket, bbPath: server, crsPath: path.join(folder, 'crs') });
await api.initSRSChonk(1);
const fields = fs.readFileSync(path.join(folder, 'fields'));
const proofFields = Array.from({ length: fields.length / 32 }, (_, index) => new Uint8Array(fields.subarray(32 * index, 32 * index + 32)));
const fifo = path.join(folder, 'results');
const reading = fs.promises.readFile(fifo);
const vks = [new Uint8Array(fs.readFileSync(path.join(folder, 'vk')))];
await api.chonkBatchVerifierStart({ vks, numCores: 1, batchSize: 4, fifoPath: fifo });
for (const requestId of [1, 2, 3]) {
  const bad = requestId === 2 ? proofFields.with(0, word(7)) : proofFields;
  await api.chonkBatchVerifierQueue({ requestId: BigInt(requestId), vkIndex: 0, proofFields: bad });
}
await api.chonkBatchVerifierStop({});
seen.results = hex(await reading);
await api.destroy();
seen.left.service = await left();

async function burst(way, leaves) {
  const opened = await Promise.allSettled(Array.from({ length: 16 }, async () => {
    const one = await once[way](server);
    return [one, await hash(one)];
  }));
  seen[`burst ${way}`] = opened.map(({ value, reason }) => (value ? value[1] : String(reason.message)));
  await Promise.all(opened.filter(({ value }) => value).map(({ value }) => value[0].destroy()));
  seen.left[`burst ${way}`] = await left(leaves ? opened.filter(({ reason }) => reason).length : 0);
}
await burst('async', false);

// A script that starts the server and waits for it: bb.js kills only the script.
seen.wrapped = [];
for (const open of Object.values(ways)) {
  const one = await open(wrapper);
  seen.wrapped.push(await hash(one));
  await one.destroy();
}
seen.left.wrapped = await left();

// Threads that end without destroy(), while this process lives.
seen.threads = await Promise.all([0, 1].map(() => new Promise((resolve, reject) => {
  let answers;
  const worker = new Worker(new URL(import.meta.url), { workerData: [bbjs, server, wrapper, folder] });
  worker.on('message', message => (answers = message));
  worker.on('error', reject);
  worker.on('exit', () => resolve(answers));
})));
seen.left.threads = await left();

await burst('socket', true); // the last, for the sake of what it may leave

console.log(JSON.stringify(seen));
process.exit(0);
