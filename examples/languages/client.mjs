// node client.mjs LIBRARY
import { readSync, writeSync } from "node:fs";

const libraries = {
  msgpackr: async () => {
    const { pack, unpack } = await import("msgpackr");
    return [pack, unpack];
  },
  "@msgpack/msgpack": async () => {
    const { encode, decode } = await import("@msgpack/msgpack");
    return [encode, decode];
  },
  msgpack5: async () => {
    const codec = (await import("msgpack5")).default();
    return [(value) => codec.encode(value).slice(), (bytes) => codec.decode(bytes)];
  },
  "notepack.io": async () => {
    const notepack = (await import("notepack.io")).default;
    return [notepack.encode, notepack.decode];
  },
};
const [encode, decode] = await libraries[process.argv[2]]();

function read(size) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; ) {
    const count = readSync(0, bytes, at, size - at);
    if (count === 0) throw new Error("the server ended");
    at += count;
  }
  return bytes;
}

function call(request) {
  const payload = encode(request);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(payload.length);
  writeSync(1, head);
  writeSync(1, payload);
  return decode(read(read(4).readUInt32LE()));
}

function report(label, work) {
  let result;
  try {
    const [name, fields] = work();
    result = name === "ErrorResponse" ? fields.message : Buffer.from(fields.hash).toString("hex").slice(0, 8);
  } catch (error) {
    result = String(error);
  }
  console.error(`${label}: ${result}`);
}

function tagged(id, command) {
  const [echo, response] = call([id, command]);
  return Number(echo) === id ? response : ["ErrorResponse", { message: `the id is ${echo}` }];
}

const data = Buffer.from("abc");
const word = Buffer.alloc(32, 1);
report("plain", () => call([["Blake2s", { data }]]));
report("list", () => call([["Poseidon2Hash", { inputs: [word, word] }]]));
report("tagged", () => tagged(7, ["Blake2s", { data }]));
report("large id", () => tagged(2 ** 40, ["Blake2s", { data }]));
report("integer", () => tagged(8, ["Blake2s", { data, deadline_ms: 60000 }]));
