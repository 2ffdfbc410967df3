// The real proofs of the test suite, in the form in which bb.js wants them.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decode, encode } from 'msgpackr';

const DATA = fileURLToPath(new URL('../../tests/data/', import.meta.url));
const FLOWS = [1, 2, 4, 8];

/** The options of a bbipc that accepts these proofs, which were made under a test setup. */
export const SETUP = ['--setup', `${DATA}test_setup.json`];

/** How bbipc is started: the words of the variable BBIPC, or just `bbipc`. */
export const COMMAND = (process.env.BBIPC ?? 'bbipc').split(' ');

const PARTS = ['hiding_oink_proof', 'merge_proof', 'eccvm_proof', 'ipa_proof', 'joint_proof'];

/** `count` proofs with their keys; those for which `isBad` says so have two evaluations exchanged, so that they are invalid. */
export function samples(count, isBad) {
  return Array.from({ length: count }, (_, index) => {
    const folder = `${DATA}flow${FLOWS[index % FLOWS.length]}/`;
    const parts = decode(readFileSync(`${folder}proof.msgpack`));
    const valid = !isBad(index);
    if (!valid) {
      const at = 20 + (index % 8); // among the twelve evaluations of the merge proof
      [parts.merge_proof[at], parts.merge_proof[at + 1]] = [parts.merge_proof[at + 1], parts.merge_proof[at]];
    }
    const proof = Object.fromEntries(PARTS.map(name => [name, parts[name]]));
    return { proof: encode(proof), vk: readFileSync(`${folder}vk`), valid };
  });
}
