// What the official JavaScript makes of transactions: one JSON line for each line of standard input.
//
//   node stdlib_peer.mjs PATH_OF_@aztec/stdlib < hex lines
//
// For a line of hex digits: the transaction read, written again, its JSON, its hash, the hashes of its calldata and logs, and its
// public inputs. Then come transactions that the classes make themselves.

import { createInterface } from 'node:readline';

const base = `${process.argv[2]}/dest`;
// The hashes come from bb.js, here from its WebAssembly: its native program needs a newer system than some have. The classes take
// the synchronous one only where there is a `self`, as in a browser.
const { BackendType, BarretenbergSync } = await import(`${process.argv[2]}/../bb.js/dest/node/index.js`);
await BarretenbergSync.initSingleton({ backend: BackendType.Wasm });
globalThis.self = globalThis;

const { Tx, HashedValues } = await import(`${base}/tx/index.js`);
const { jsonStringify } = await import(`${process.argv[2]}/../foundation/dest/json-rpc/convert.js`);
const { ContractClassLogFields } = await import(`${base}/logs/index.js`);
const { ChonkProof } = await import(`${base}/proofs/index.js`);
const { PrivateKernelTailCircuitPublicInputs } = await import(`${base}/kernel/index.js`);

const report = async tx => ({
  bytes: tx.toBuffer().toString('hex'),
  json: JSON.parse(jsonStringify(tx)),
  hash: (await Tx.computeTxHash(tx)).toString(),
  calldata: await Promise.all(tx.publicFunctionCalldata.map(async c => (await HashedValues.fromCalldata(c.values)).hash.toString())),
  logs: await Promise.all(tx.contractClassLogFields.map(async log => (await log.hash()).toString())),
  inputs: tx.data.publicInputs().toFields().map(field => field.toString().slice(2)).join(''),
  calls: tx.numberOfPublicCalls(),
});

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await report(Tx.fromBuffer(Buffer.from(line, 'hex')))));
}
for (let i = 0; i < 3; i++) {
  const made = Tx.from({
    txHash: Tx.random().txHash,
    data: PrivateKernelTailCircuitPublicInputs.emptyWithNullifier(),
    chonkProof: ChonkProof.random(),
    contractClassLogFields: [ContractClassLogFields.random(i)],
    publicFunctionCalldata: Array.from({ length: i }, () => HashedValues.random()),
  });
  console.log(JSON.stringify(await report(made)));
}
