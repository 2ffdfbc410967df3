// Verifies 32 proofs, some of them bad, through bb.js: one after the other, then all at once.

import { AztecClientBackend, Barretenberg } from '@aztec/bb.js';
import { BbipcBackend } from './bbipc-backend.mjs';
import { COMMAND, SETUP, samples } from './samples.mjs';

const COUNT = 32;

async function timed(what, work) {
  const start = performance.now();
  const verdicts = await work();
  const milliseconds = performance.now() - start;
  console.log(`${what}: ${verdicts.filter(Boolean).length} of ${COUNT} valid, ${milliseconds.toFixed(0)} ms`);
  return verdicts;
}

const backend = await BbipcBackend.start(COMMAND, SETUP);
try {
  const proofs = samples(COUNT, index => index % 5 === 0);
  const plain = new AztecClientBackend([], new Barretenberg(backend, {}));
  const concurrent = new AztecClientBackend([], new Barretenberg(backend.concurrent, {}));
  await plain.verify(proofs[1].proof, proofs[1].vk); // the first verification loads the verifier

  await timed('one after the other', async () => {
    const verdicts = [];
    for (const { proof, vk } of proofs) {
      verdicts.push(await plain.verify(proof, vk));
    }
    return verdicts;
  });
  await timed('all at once        ', () => Promise.all(proofs.map(({ proof, vk }) => concurrent.verify(proof, vk))));
} finally {
  await backend.destroy();
}
