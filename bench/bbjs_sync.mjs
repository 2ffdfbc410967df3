// Microseconds per call of BarretenbergSync of @aztec/bb.js over shared memory, for several servers in one run.
//
//   node bench/bbjs_sync.mjs BBJS CALLS ROUNDS NAME=SERVER...
//
// BBJS: the unpacked package; SERVER: what is started in place of bb. The servers take turns, and the best round of each counts: other
// work on the machine only ever makes it slower. The last column is the first server's time in units of the second's.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const [bbjs, calls, rounds, ...servers] = process.argv.slice(2);
const { BackendType, BarretenbergSync } = await import(path.resolve(bbjs, 'dest/node/index.js'));

const word = value => new Uint8Array(Buffer.from(BigInt(value).toString(16).padStart(64, '0'), 'hex'));
const works = {
  'Blake2s': api => api.blake2s({ data: Buffer.from('abc') }),
  'Poseidon2Hash of 2': api => api.poseidon2Hash({ inputs: [word(1), word(2)] }),
  'Poseidon2Hash of 16': api => api.poseidon2Hash({ inputs: Array.from({ length: 16 }, (_, index) => word(index)) }),
};
const names = servers.map(server => server.slice(0, server.indexOf('=')));
const backend = BackendType.NativeSharedMemory;
const instances = [];
for (const server of servers) {
  instances.push(await BarretenbergSync.new({ backend, bbPath: server.slice(server.indexOf('=') + 1) }));
}
const best = {};
for (let round = 0; round < Number(rounds); ++round) {
  for (const [index, api] of instances.entries()) {
    for (const [name, work] of Object.entries(works)) {
      for (let i = 0; i < 200; ++i) work(api);
      const start = performance.now();
      for (let i = 0; i < Number(calls); ++i) work(api);
      const micros = (1e3 * (performance.now() - start)) / Number(calls);
      (best[name] ??= [])[index] = Math.min(best[name][index] ?? Infinity, micros);
    }
  }
}
console.log('us per call'.padEnd(24) + names.map(name => name.padStart(10)).join('') + 'ratio'.padStart(8));
for (const [name, micros] of Object.entries(best)) {
  const ratio = micros.length > 1 ? (micros[0] / micros[1]).toFixed(2) : '';
  console.log(name.padEnd(24) + micros.map(value => value.toFixed(1).padStart(10)).join('') + ratio.padStart(8));
}
instances.forEach(api => api.destroy());
