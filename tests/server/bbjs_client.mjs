// Drives a server through @aztec/bb.js, unchanged, and prints what it saw as JSON.
//
//   node bbjs_client.mjs BBJS BACKEND SERVER PROOFS
//
// BBJS: the unpacked package; BACKEND: pipe, socket or shm; SERVER: what is started in place of bb; PROOFS: a folder with NAME.proof (msgpack)
// and NAME.vk, and flow1.fields (flat).
import fs from 'node:fs';
import path from 'node:path';

const [bbjs, backendName, server, proofs] = process.argv.slice(2);
const load = file => import(path.join(bbjs, 'dest/node', file));
const { AztecClientBackend, BackendType, Barretenberg, BBApiException } = await load('index.js');

async function connect() {
  if (backendName === 'socket') {
    return await Barretenberg.new({ backend: BackendType.NativeUnixSocket, bbPath: server });
  }
  if (backendName === 'shm') {
    return await Barretenberg.new({ backend: BackendType.NativeSharedMemory, bbPath: server });
  }
  const { BarretenbergNativePipeAsyncBackend } = await load('bb_backends/node/native_pipe.js');
  return new Barretenberg(new BarretenbergNativePipeAsyncBackend(server), {});
}

const hex = bytes => Buffer.from(bytes).toString('hex');
const bytes = file => new Uint8Array(fs.readFileSync(path.join(proofs, file)));
const word = value => new Uint8Array(Buffer.from(BigInt(value).toString(16).padStart(64, '0'), 'hex'));
const point = ({ x, y }) => ({ x: hex(x), y: hex(y) });

async function failure(call) {
  try {
    await call();
    return null;
  } catch (error) {
    return { isApiException: error instanceof BBApiException, message: error.message };
  }
}

const api = await connect();
const seen = {};

seen.blake2s = hex((await api.blake2s({ data: Buffer.from('abc') })).hash);
seen.poseidon2Hash = hex((await api.poseidon2Hash({ inputs: [word(1), word(2)] })).hash);
seen.poseidon2Permutation = (await api.poseidon2Permutation({ inputs: [0, 0, 0, 0].map(word) })).outputs.map(hex);
seen.bn254G1Mul = point((await api.bn254G1Mul({ point: { x: word(1), y: word(2) }, scalar: word(2) })).point);
const generator = { x: word(1), y: word('0x2cf135e7506a45d632d270d45f1181294833fc48d823f272c') };
seen.grumpkinMul = point((await api.grumpkinMul({ point: generator, scalar: word(2) })).point);
seen.grumpkinAdd = point((await api.grumpkinAdd({ pointA: generator, pointB: generator })).point);
seen.grumpkinBatchMul = (await api.grumpkinBatchMul({ points: [generator, generator], scalar: word(2) })).points.map(point);
seen.isSquare = (await api.bn254FrSqrt({ input: word(5) })).isSquareRoot;
seen.offCurve = await failure(() => api.bn254G1Mul({ point: { x: word(1), y: word(3) }, scalar: word(2) }));
seen.unserved = await failure(() => api.pedersenHash({ inputs: [word(1)], hashIndex: 0 }));

const client = new AztecClientBackend([], api, []);
seen.verified = {};
for (const file of fs.readdirSync(proofs).filter(name => name.endsWith('.proof'))) {
  const name = file.slice(0, -'.proof'.length);
  seen.verified[name] = await client.verify(bytes(file), bytes(`${name}.vk`));
}
seen.shortKey = await failure(() => client.verify(bytes('flow1.proof'), bytes('flow1.vk').subarray(1)));
const fields = bytes('flow1.fields');
let position = 0;
const take = count =>
  Array.from({ length: count }, () => fields.subarray(position, (position += 32)));
const proof = {
  hidingOinkProof: take(fields.length / 32 - 1194),
  mergeProof: take(41),
  eccvmProof: take(612),
  ipaProof: take(64),
  jointProof: take(477),
};
const compressed = await client.compressProof(proof);
seen.compressed = hex(compressed);
const again = await client.decompressProof(compressed);
seen.decompressed = Object.keys(proof).map(part => again[part].map(hex).join('')).join('');

// The client's pipe refuses a call while another one is pending; the other ways send all at once.
async function many(calls) {
  if (backendName !== 'pipe') {
    return await Promise.all(calls.map(call => call()));
  }
  const answers = [];
  for (const call of calls) {
    answers.push(await call());
  }
  return answers;
}

const inputs = Array.from({ length: 1000 }, (_, index) => Buffer.from(`request ${index}`));
const answers = await many(inputs.map(data => () => api.blake2s({ data })));
seen.pipelined = answers.map(({ hash }) => hex(hash));
seen.together = await many(Array(6).fill(() => client.verify(bytes('flow1.proof'), bytes('flow1.vk'))));

await api.destroy();
console.log(JSON.stringify(seen));
