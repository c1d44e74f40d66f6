// Made from verify.html by python -m bot.verifier_words.
// Verifies proofs of draws by docs/fairness.md. No network, no library. The same steps, in the same order, as verify.py.

const LARGEST = 1 << 20;
const FIRST = "tombola-proof/1", SECOND = "tombola-proof/2";
const UNCHAINED = "bls-unchained-g1-rfc9380", CHAINED = "pedersen-bls-chained";
const LENGTHS = {[UNCHAINED]: [192, 96], [CHAINED]: [96, 192]};
const PINNED = {
  "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971": {
    scheme: UNCHAINED,
    public_key: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
      + "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    genesis: 1692803367000, period: 3000,
  },
  "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce": {
    scheme: CHAINED,
    public_key: "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
    genesis: 1595431050000, period: 30000,
  },
};
class NotAProof extends Error {}

// -- bytes and hashes

const ascii = (text) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
function joined(...parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
const toNumber = (bytes) => bytes.length ? BigInt("0x" + hex(bytes)) : 0n;
const toBytes = (number, length) => unhex(number.toString(16).padStart(2 * length, "0"));
const reversed = (bytes) => Uint8Array.from(bytes).reverse();

const PRIMES = [];
for (let n = 2; PRIMES.length < 80; n++) if (PRIMES.every((p) => n % p)) PRIMES.push(n);
function root64(n, k) { // the first 64 bits of the fraction of the k-th root of n
  const target = BigInt(n) << BigInt(64 * k);
  let low = 0n, high = 1n << 70n;
  while (low < high) { const middle = (low + high + 1n) >> 1n; if (middle ** BigInt(k) <= target) low = middle; else high = middle - 1n; }
  return low & ((1n << 64n) - 1n);
}
const K512 = PRIMES.map((p) => root64(p, 3)), H512 = PRIMES.slice(0, 8).map((p) => root64(p, 2));
const K256 = K512.slice(0, 64).map((k) => Number(k >> 32n) | 0), H256 = H512.map((h) => Number(h >> 32n) | 0);

function sha256(data) {
  const padded = new Uint8Array((data.length + 72) & ~63), view = new DataView(padded.buffer);
  padded.set(data); padded[data.length] = 128;
  view.setUint32(padded.length - 4, data.length << 3); view.setUint32(padded.length - 8, data.length / 0x20000000);
  const h = H256.slice(), w = new Int32Array(64), turn = (x, n) => x >>> n | x << 32 - n;
  for (let at = 0; at < padded.length; at += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >>> 3) + w[i - 7] + (turn(b, 17) ^ turn(b, 19) ^ b >>> 10);
    }
    let [a, b, c, d, e, f, g, k] = h;
    for (let i = 0; i < 64; i++) {
      const one = k + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + K256[i] + w[i] | 0;
      const two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c) | 0;
      k = g; g = f; f = e; e = d + one | 0; d = c; c = b; b = a; a = one + two | 0;
    }
    [a, b, c, d, e, f, g, k].forEach((x, i) => { h[i] = h[i] + x | 0; });
  }
  const out = new DataView(new ArrayBuffer(32));
  h.forEach((x, i) => out.setInt32(4 * i, x));
  return new Uint8Array(out.buffer);
}
function sha512(data) {
  const all = (1n << 64n) - 1n, turn = (x, n) => x >> n | x << 64n - n & all;
  const padded = new Uint8Array((data.length + 144) & ~127), view = new DataView(padded.buffer);
  padded.set(data); padded[data.length] = 128; view.setBigUint64(padded.length - 8, BigInt(data.length) << 3n);
  const h = H512.slice();
  for (let at = 0; at < padded.length; at += 128) {
    const w = [];
    for (let i = 0; i < 16; i++) w.push(view.getBigUint64(at + 8 * i));
    for (let i = 16; i < 80; i++) {
      const a = w[i - 15], b = w[i - 2];
      w.push(w[i - 16] + (turn(a, 1n) ^ turn(a, 8n) ^ a >> 7n) + w[i - 7] + (turn(b, 19n) ^ turn(b, 61n) ^ b >> 6n) & all);
    }
    let [a, b, c, d, e, f, g, k] = h;
    for (let i = 0; i < 80; i++) {
      const one = k + (turn(e, 14n) ^ turn(e, 18n) ^ turn(e, 41n)) + (e & f ^ ~e & all & g) + K512[i] + w[i] & all;
      const two = (turn(a, 28n) ^ turn(a, 34n) ^ turn(a, 39n)) + (a & b ^ a & c ^ b & c) & all;
      k = g; g = f; f = e; e = d + one & all; d = c; c = b; b = a; a = one + two & all;
    }
    [a, b, c, d, e, f, g, k].forEach((x, i) => { h[i] = h[i] + x & all; });
  }
  return joined(...h.map((x) => toBytes(x, 8)));
}
function hmac(key, message) {
  const block = new Uint8Array(64); // no key here is longer
  block.set(key);
  return sha256(joined(block.map((b) => b ^ 0x5c), sha256(joined(block.map((b) => b ^ 0x36), message))));
}

// -- the document

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const copy = {};
  for (const name of Object.keys(value).sort()) copy[name] = sorted(value[name]);
  return copy;
}
const escaped = (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
const canonical = (document) => JSON.stringify(sorted(document), null, 2).replace(/[^\0-\x7f]/g, escaped) + "\n";
const digestOf = (document) => hex(sha256(ascii(canonical(document))));

function read(raw) {
  if (raw.length > LARGEST) throw new NotAProof("too-large");
  let document, text, written;
  try {
    text = new TextDecoder("utf-8", {fatal: true, ignoreBOM: true}).decode(raw);
    document = JSON.parse(text);
    written = canonical(document);
  } catch { throw new NotAProof("not-json"); }
  if (document === null || typeof document !== "object" || ![FIRST, SECOND].includes(document.format)) throw new NotAProof("unknown-format");
  if (written !== text) throw new NotAProof("not-canonical");
  if (!(document.format === FIRST ? isFirst : isSecond)(document)) throw new NotAProof("incomplete");
  return document;
}
const has = (value, ...names) => value !== null && typeof value === "object" && !Array.isArray(value)
  && Object.keys(value).length === names.length && names.every((name) => Object.hasOwn(value, name));
const whole = (value, low, high = Number.MAX_SAFE_INTEGER) => Number.isSafeInteger(value) && low <= value && value <= high;
const text = (value, form) => typeof value === "string" && form.test(value);
const hexes = (value, ...lengths) => text(value, /^(?:[0-9a-f]{2})*$/) && !value.endsWith("\n") && lengths.includes(value.length);
const listed = (value, most, fits) => Array.isArray(value) && value.length <= most && value.every(fits);
const AMOUNT = /^(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,8})?$/;
const scaled = (amount, decimals = 8) => { // an amount as a whole number of its smallest units
  const [front, back = ""] = amount.split(".");
  return BigInt(front + back.padEnd(decimals, "0"));
};
const RULES = ["mode", "winners", "highest", "absent_policy", "pool", "split", "percentages"];
const DRAW = ["seed", "picked", "absent", "assigned", "drawn", "places"];

function isLine(value, most) {
  if (typeof value !== "string" || [...value].length > most) return false;
  return [...value].every((c) => {
    const code = c.codePointAt(0);
    return !(code < 0x20 || code >= 0x7f && code < 0xa0 || code === 0x2028 || code === 0x2029 || code >= 0xd800 && code < 0xe000);
  });
}
function areRules(rules) {
  if (!(text(rules.game, /^[0-9a-z]{1,64}$/) && rules.kind === "pick_number" && isLine(rules.title, 64)
      && ["normal", "reverse"].includes(rules.mode) && ["drop", "auto"].includes(rules.absent_policy)
      && ["auto", "equal", "percentages"].includes(rules.split) && whole(rules.winners, 1, 10) && whole(rules.highest, 1, 10000)
      && text(rules.pool, AMOUNT) && scaled(rules.pool) <= 10n ** 20n
      && listed(rules.percentages, 10, (share) => text(share, AMOUNT)))) return false;
  const shares = rules.percentages.map((share) => scaled(share));
  if (rules.split !== "percentages") return !shares.length;
  return shares.length === rules.winners && shares.every((share) => share > 0n) && shares.reduce((a, b) => a + b, 0n) === 10n ** 10n;
}
function isDraw(proof) {
  const isPair = (pair, number, player) => Array.isArray(pair) && pair.length === 2 && whole(pair[number], 1, 10000) && whole(pair[player], 1);
  const isPlace = (place) => has(place, "place", "player", "number", "prize") && whole(place.place, 1, 10) && whole(place.number, 1, 10000)
    && whole(place.player, 1) && text(place.prize, /^(?:0|[1-9][0-9]{0,12})\.[0-9]{2,8}$/);
  return hexes(proof.seed, 64) && listed(proof.picked, 10000, (pair) => isPair(pair, 0, 1)) && listed(proof.assigned, 10000, (pair) => isPair(pair, 1, 0))
    && listed(proof.absent, 1000, (player) => whole(player, 1)) && listed(proof.drawn, 10000, (n) => whole(n, 1, 10000)) && listed(proof.places, 10, isPlace);
}
function isFirst(proof) {
  if (!(has(proof, ...RULES, ...DRAW, "format", "game", "kind", "title", "commitment", "digest", "beacon", "beacon_expected", "checksum")
      && areRules(proof) && isDraw(proof) && hexes(proof.commitment, 64) && hexes(proof.digest, 64) && hexes(proof.checksum, 64))) return false;
  const beacon = proof.beacon, even = Array.from({length: 96}, (_, i) => 2 * i + 2);
  if (beacon !== null && !(has(beacon, "chain", "round", "randomness", "signature") && whole(beacon.round, 1) && hexes(beacon.chain, 64)
      && hexes(beacon.randomness, 64) && hexes(beacon.signature, ...even))) return false;
  return proof.beacon_expected === null || whole(proof.beacon_expected, 1);
}
function isSecond(proof) {
  if (!(has(proof, ...DRAW, "format", "opening", "commitment", "seed_path", "closing", "beacon", "outcome", "reason", "log", "checksum")
      && isOpening(proof.opening) && isDraw(proof))) return false;
  const closing = proof.closing, beacon = proof.beacon, chain = proof.opening.beacon;
  if (!(hexes(proof.commitment, 64) && hexes(proof.checksum, 64) && listed(proof.seed_path, 64, (node) => hexes(node, 64))
      && has(closing, "at", "digest", "round") && whole(closing.at, 0) && hexes(closing.digest, 64)
      && (closing.round === null || whole(closing.round, 1)) && (proof.log === null || isLog(proof.log)))) return false;
  if (beacon !== null) {
    const scheme = chain ? chain.scheme : UNCHAINED;
    if (!(has(beacon, "round", "randomness", "signature", "previous_signature") && whole(beacon.round, 1) && hexes(beacon.randomness, 64)
        && hexes(beacon.signature, LENGTHS[scheme][1]))) return false;
    if (!hexes(beacon.previous_signature, scheme === UNCHAINED ? 0 : beacon.round === 1 ? 64 : 192)) return false;
  }
  return proof.outcome === "completed" ? proof.reason === null : proof.outcome === "void" && ["operator", "beacon"].includes(proof.reason);
}
function isAward(award, rules) { // prizes by place, in words or with a currency
  if (!(has(award, "currency", "amounts", "texts") && isLine(award.currency, 16)
      && listed(award.amounts, rules.winners, (amount) => text(amount, AMOUNT))
      && listed(award.texts, rules.winners, (prize) => isLine(prize, 100) && prize !== ""))) return false;
  const pool = scaled(rules.pool), amounts = award.amounts.map((amount) => scaled(amount));
  if (amounts.length && (rules.split !== "auto" || amounts.includes(0n) || amounts.reduce((a, b) => a + b, 0n) !== pool)) return false;
  if (award.texts.length && pool) return false;
  return award.currency ? pool > 0n : amounts.length + award.texts.length > 0;
}
function areExcluded(players) { // ids of the winners of earlier games, in rising order: these people could not join
  return listed(players, 1000, (player) => whole(player, 1)) && players.length > 0
    && players.every((player, at) => at === 0 || players[at - 1] < player);
}
function isOpening(opening) {
  const given = (name) => typeof opening === "object" && opening !== null && Object.hasOwn(opening, name);
  const awarded = given("award"), excluding = given("excluded");
  if (!(has(opening, ...RULES, "format", "game", "kind", "title", "chat", "topic", "at", "beacon", "seed_hash", "seeds", ...(awarded ? ["award"] : []), ...(excluding ? ["excluded"] : []))
      && opening.format === "tombola-opening/2" && areRules(opening) && whole(opening.chat, -Number.MAX_SAFE_INTEGER)
      && whole(opening.topic, 0) && whole(opening.at, 0) && hexes(opening.seed_hash, 64))) return false;
  if (awarded && !isAward(opening.award, opening)) return false;
  if (excluding && !areExcluded(opening.excluded)) return false;
  const chain = opening.beacon, seeds = opening.seeds;
  if (chain !== null && !(has(chain, "chain", "scheme", "public_key", "genesis", "period", "lead", "wait", "policy") && hexes(chain.chain, 64)
      && [UNCHAINED, CHAINED].includes(chain.scheme) && hexes(chain.public_key, LENGTHS[chain.scheme][0]) && whole(chain.genesis, 0)
      && whole(chain.period, 1) && whole(chain.wait, 1) && whole(chain.lead, 0) && ["wait", "void"].includes(chain.policy))) return false;
  return seeds === null || has(seeds, "root", "size", "number") && hexes(seeds.root, 64) && whole(seeds.size, 1) && whole(seeds.number, 1, seeds.size);
}
function isLog(log) {
  return has(log, "head", "key", "signature", "salt", "opening", "closing", "outcome") && has(log.head, "at", "root", "size") && whole(log.head.at, 0)
    && whole(log.head.size, 1) && hexes(log.head.root, 64) && hexes(log.key, 64) && hexes(log.signature, 128) && hexes(log.salt, 64)
    && ["opening", "closing", "outcome"].every((name) => has(log[name], "index", "path") && whole(log[name].index, 0)
      && listed(log[name].path, 64, (node) => hexes(node, 64)));
}

// -- the draw

function entriesDigest(game, highest, entries) {
  const numbers = [...entries.keys()].sort((a, b) => a - b);
  return hex(sha256(ascii([`tombola-entries/1 ${game} 1..${highest}`, ...numbers.map((n) => `${n} ${entries.get(n)}`)].map((line) => line + "\n").join(""))));
}
function shuffled(numbers, seed, label, digest, randomness) {
  const key = hmac(unhex(seed), joined(ascii(label), unhex(digest), unhex(randomness)));
  let words = [], counter = 0n;
  for (let last = numbers.length - 1; last > 0; last--) {
    const bound = BigInt(last + 1), limit = (1n << 64n) - (1n << 64n) % bound;
    let word;
    do {
      if (!words.length) {
        const block = new DataView(hmac(key, toBytes(counter++, 8)).buffer);
        words = [24, 16, 8, 0].map((at) => block.getBigUint64(at));
      }
      word = words.pop();
    } while (word >= limit);
    const other = Number(word % bound);
    [numbers[last], numbers[other]] = [numbers[other], numbers[last]];
  }
  return numbers;
}
const range = (highest) => Array.from({length: highest}, (_, i) => i + 1);
function prizes(rules, winners) {
  const {pool, split, percentages} = rules, amounts = rules.award ? rules.award.amounts : [];
  const decimals = Math.max(2, ...[pool, ...amounts].map((amount) => (amount.split(".")[1] || "").length));
  const written = (amount) => { const digits = amount.toString().padStart(decimals + 1, "0"); return digits.slice(0, -decimals) + "." + digits.slice(-decimals); };
  if (amounts.length) return Array.from({length: winners}, (_, i) => written(i < amounts.length ? scaled(amounts[i], decimals) : 0n));
  const falling = range(Math.max(winners - 1, 0)).reverse().map(BigInt), below = falling.reduce((a, b) => a + b, 0n);
  const shares = split === "percentages" ? percentages.slice(0, winners).map((share) => scaled(share))
    : split === "equal" || winners <= 1 ? Array(winners).fill(1n) : [below, ...falling];
  const total = shares.reduce((a, b) => a + b, 0n), units = scaled(pool, decimals);
  const paid = shares.map((share) => units * share / total), left = shares.map((share) => units * share % total);
  let over = Number(units - paid.reduce((a, b) => a + b, 0n));
  const order = shares.map((_, i) => i).sort((a, b) => left[a] === left[b] ? a - b : left[a] > left[b] ? -1 : 1);
  for (const place of order) if (winners && over-- > 0) paid[place] += 1n;
  return paid.map(written);
}
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function* checks(proof) {
  const {checksum, ...rest} = proof;
  yield ["document", checksum === digestOf(rest), ""];
  const first = proof.format === FIRST, rules = first ? proof : proof.opening, digest = first ? proof.digest : proof.closing.digest;
  yield* (first ? checksOfFirst : checksOfSecond)(proof);
  yield* entriesChecks(rules, proof, digest);
  if (!first && proof.outcome === "void") {
    const nothing = proof.beacon === null && !proof.drawn.length && !proof.places.length;
    yield ["void", nothing && (proof.reason !== "beacon" || rules.beacon !== null), proof.reason];
  } else yield* outcomeChecks(rules, proof);
  if (!first && proof.log !== null) yield* logChecks(proof, proof.log);
}
function* checksOfFirst(proof) {
  yield ["commitment", hex(sha256(unhex(proof.seed))) === proof.commitment, proof.commitment];
  const beacon = proof.beacon;
  if (beacon !== null) yield ["beacon", hex(sha256(unhex(beacon.signature))) === beacon.randomness && beacon.round === proof.beacon_expected, `${beacon.round} ${beacon.chain}`];
  else if (proof.beacon_expected !== null) yield ["beacon-missing", true, proof.beacon_expected];
}
function roundAfter(genesis, period, moment) {
  const [g, p, m] = [genesis, period, moment].map(BigInt), distance = m - g, quotient = distance / p - (distance % p < 0n ? 1n : 0n);
  return quotient + 2n < 1n ? 1n : quotient + 2n;
}
function* checksOfSecond(proof) {
  const {opening, closing, beacon} = proof, chain = opening.beacon, seeds = opening.seeds;
  yield ["opening", digestOf(opening) === proof.commitment, proof.commitment];
  yield ["seed", hex(sha256(unhex(proof.seed))) === opening.seed_hash, opening.seed_hash];
  if (seeds === null) yield ["seed-alone", !proof.seed_path.length, ""];
  else yield ["seeds", included(leafHash(unhex(opening.seed_hash)), seeds.number - 1, seeds.size, proof.seed_path, seeds.root), `${seeds.number}/${seeds.size} ${seeds.root}`];
  let right = closing.at >= opening.at && (chain === null) === (closing.round === null);
  if (right && chain !== null) right = isAsPublished(chain);
  if (right && chain !== null) {
    const moment = BigInt(closing.at) + BigInt(Math.max(chain.lead, chain.period));
    right = BigInt(closing.round) === roundAfter(chain.genesis, chain.period, moment);
  }
  yield ["closing", right, closing.round ?? ""];
  if (beacon !== null) yield beaconCheck(chain, closing.round, beacon);
  else if (chain !== null && proof.outcome === "completed") yield ["beacon-absent", false, closing.round ?? ""];
}
function isAsPublished(chain) {
  const known = Object.hasOwn(PINNED, chain.chain) ? PINNED[chain.chain] : {};
  return Object.keys(known).every((name) => chain[name] === known[name]);
}
function beaconCheck(chain, expected, beacon) {
  const told = `${beacon.round} ${chain ? chain.chain : ""}`, wrong = ["beacon-signed", false, told];
  if (chain === null || beacon.round !== expected || hex(sha256(unhex(beacon.signature))) !== beacon.randomness) return wrong;
  if (!isAsPublished(chain)) return wrong;
  return [Object.hasOwn(PINNED, chain.chain) ? "beacon-signed" : "beacon-unpinned", isGenuineRound(chain, beacon), told];
}
function* entriesChecks(rules, proof, digest) {
  const picked = new Map(proof.picked), entries = new Map([...proof.picked, ...proof.assigned.map(([player, number]) => [number, player])]);
  const count = proof.picked.length + proof.assigned.length, numbers = [...entries.keys()];
  const each = count > 0 && count === entries.size && count === new Set(entries.values()).size && Math.max(...numbers) <= rules.highest;
  const excluded = new Set(rules.excluded || []), allowed = ![...entries.values(), ...proof.absent].some((player) => excluded.has(player));
  yield ["entries", each && allowed && same([...picked.keys()], [...picked.keys()].sort((a, b) => a - b)), count];
  const absent = proof.absent;
  let right = !proof.assigned.length;
  if (rules.absent_policy === "auto") {
    const free = range(rules.highest).filter((number) => !picked.has(number)), enough = absent.length <= free.length;
    const order = shuffled(free, proof.seed, "tombola/absent/1", entriesDigest(rules.game, rules.highest, picked), "");
    right = enough && same(proof.assigned, absent.map((player, i) => [player, order[i]]));
  }
  const taken = new Set(picked.values());
  yield ["absent", right && new Set(absent).size === absent.length && !absent.some((player) => taken.has(player)), proof.assigned.length];
  yield ["digest", entriesDigest(rules.game, rules.highest, entries) === digest, digest];
}
function* outcomeChecks(rules, proof) {
  const entries = new Map([...proof.picked, ...proof.assigned.map(([player, number]) => [number, player])]);
  const digest = entriesDigest(rules.game, rules.highest, entries), reverse = rules.mode === "reverse";
  const order = shuffled(range(rules.highest), proof.seed, "tombola/draw/1", digest, proof.beacon ? proof.beacon.randomness : "");
  const hits = order.filter((number) => entries.has(number)), wanted = reverse ? entries.size - 1 : Math.min(rules.winners, entries.size);
  const drawn = wanted > 0 && wanted <= hits.length ? order.slice(0, order.indexOf(hits[wanted - 1]) + 1) : [];
  const out = drawn.filter((number) => entries.has(number)), fallen = new Set(out);
  const winning = reverse ? [...[...entries.keys()].filter((n) => !fallen.has(n)), ...out.slice().reverse()].slice(0, rules.winners) : out;
  yield ["order", same(drawn, proof.drawn), drawn.length];
  yield ["places", same(proof.places.map((p) => [p.place, p.number, p.player]), winning.map((n, i) => [i + 1, n, entries.get(n)])), winning.length];
  yield ["prizes", same(proof.places.map((p) => p.prize), prizes(rules, winning.length)),
    rules.award && rules.award.texts.length ? rules.award.texts.join("; ") : [rules.pool, rules.award ? rules.award.currency : ""].join(" ").trim()];
}

// -- the public log (RFC 9162)

const leafHash = (data) => sha256(joined([0], data)), nodeHash = (left, right) => sha256(joined([1], left, right));
function included(leaf, index, size, path, root) {
  if (!(0 <= index && index < size)) return false;
  let node = BigInt(index), last = BigInt(size) - 1n, current = leaf;
  for (const sibling of path.map(unhex)) {
    if (last === 0n) return false;
    if (node & 1n || node === last) {
      current = nodeHash(sibling, current);
      while (!(node & 1n) && node) { node >>= 1n; last >>= 1n; }
    } else current = nodeHash(current, sibling);
    node >>= 1n; last >>= 1n;
  }
  return last === 0n && hex(current) === root;
}
function consistent(old, oldRoot, size, root, path) {
  if (old === size) return !path.length && oldRoot === root;
  if (old === 0) return !path.length && oldRoot === hex(sha256(ascii("")));
  if (!path.length) return false;
  const nodes = path.map(unhex);
  let node = BigInt(old) - 1n, last = BigInt(size) - 1n;
  if (!(BigInt(old) & node)) nodes.unshift(unhex(oldRoot));
  while (node & 1n) { node >>= 1n; last >>= 1n; }
  let [first] = nodes, second = first;
  for (const sibling of nodes.slice(1)) {
    if (last === 0n) return false;
    if (node & 1n || node === last) {
      [first, second] = [nodeHash(sibling, first), nodeHash(sibling, second)];
      while (!(node & 1n) && node) { node >>= 1n; last >>= 1n; }
    } else second = nodeHash(second, sibling);
    node >>= 1n; last >>= 1n;
  }
  return last === 0n && hex(first) === oldRoot && hex(second) === root;
}
function* logChecks(proof, log) {
  const {opening, closing} = proof, salt = unhex(log.salt), shared = {game: opening.game, commitment: proof.commitment};
  const keyed = (data) => hex(hmac(salt, data)), seeds = opening.seeds;
  const leaves = {
    opening: {game: opening.game, commitment: digestOf(opening), at: opening.at, seeds: seeds && seeds.root, number: seeds && seeds.number},
    closing: {...shared, at: closing.at, round: closing.round, entries: keyed(unhex(closing.digest))},
    outcome: {...shared, seed: proof.seed, outcome: proof.outcome, reason: proof.reason,
      result: keyed(ascii(canonical({drawn: proof.drawn, places: proof.places})))},
  };
  const head = log.head, indexes = Object.keys(leaves).map((name) => log[name].index);
  let there = indexes[0] < indexes[1] && indexes[1] < indexes[2];
  for (const [name, leaf] of Object.entries(leaves))
    there = there && included(leafHash(ascii(canonical({...leaf, type: name}))), log[name].index, head.size, log[name].path, head.root);
  yield ["log", there, `${head.size}:${head.root}`];
  yield ["head", isSigned(unhex(log.key), unhex(log.signature), ascii(canonical({format: "tombola-head/1", ...head}))), log.key];
}
function* keptChecks(proof, kept) {
  if (kept.commitment) yield ["kept-commitment", proof.commitment === kept.commitment, kept.commitment];
  if (!kept.head) return;
  const found = /^([0-9]{1,15}):([0-9a-f]{64})$/.exec(kept.head), path = kept.path || [];
  if (!found || !proof.log) return yield ["kept-head", false, kept.head];
  const own = [Number(found[1]), found[2]], shown = [proof.log.head.size, proof.log.head.root];
  const [[old, oldRoot], [size, root]] = own[0] < shown[0] || own[0] === shown[0] && own[1] <= shown[1] ? [own, shown] : [shown, own];
  const alone = 0 < old && old < size && !path.length;
  yield [alone ? "kept-head-alone" : "kept-head", !alone && consistent(old, oldRoot, size, root, path), kept.head];
}

// -- Ed25519 (RFC 8032)

const mod = (a, m) => { const r = a % m; return r < 0n ? r + m : r; };
function power(base, exponent, m) {
  let result = 1n;
  for (base = mod(base, m); exponent; exponent >>= 1n) { if (exponent & 1n) result = result * base % m; base = base * base % m; }
  return result;
}
function inverse(a, m) {
  let [r, s, x, y] = [mod(a, m), m, 1n, 0n];
  while (r) { const q = s / r; [r, s, x, y] = [s - q * r, r, y - q * x, x]; }
  return mod(y, m);
}
const Q = 2n ** 255n - 19n, ORDER = 2n ** 252n + 27742317777372353535851937790883648493n, D = mod(-121665n * inverse(121666n, Q), Q);
function edwardsAdd([x, y], [v, w]) {
  const product = D * x % Q * y % Q * v % Q * w % Q;
  return [(x * w + v * y) % Q * inverse(1n + product, Q) % Q, (y * w + x * v) % Q * inverse(1n - product, Q) % Q];
}
function edwardsTimes(number, point) {
  let result = [0n, 1n];
  for (; number; number >>= 1n) { if (number & 1n) result = edwardsAdd(result, point); point = edwardsAdd(point, point); }
  return result;
}
function edwardsPoint(data) {
  const number = toNumber(reversed(data)), sign = number >> 255n, y = number & 2n ** 255n - 1n;
  const square = (y * y - 1n) % Q * inverse(D * y % Q * y + 1n, Q) % Q;
  let x = power(square, (Q + 3n) / 8n, Q);
  if (mod(x * x - square, Q)) x = x * power(2n, (Q - 1n) / 4n, Q) % Q;
  if (y >= Q || mod(x * x - square, Q) || x === 0n && sign) return null;
  const point = [(x & 1n) === sign ? x : Q - x, y], eight = edwardsTimes(8n, point);
  return eight[0] === 0n && eight[1] === 1n ? null : point;
}
function isSigned(key, signature, message) {
  const point = edwardsPoint(key), commitment = edwardsPoint(signature.slice(0, 32)), scalar = toNumber(reversed(signature.slice(32)));
  if (!point || !commitment || scalar >= ORDER) return false;
  const challenge = toNumber(reversed(sha512(joined(signature.slice(0, 32), key, message)))) % ORDER;
  const base = edwardsPoint(reversed(toBytes(4n * inverse(5n, Q) % Q, 32)));
  return edwardsTimes(scalar, base).join() === edwardsAdd(commitment, edwardsTimes(challenge, point)).join();
}

// -- BLS12-381 (signatures as drand makes them; hashing to the curve by RFC 9380)

const P = 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn;
const R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n, LOOP = 0xd201000000010000n;
class F { // an element of Fp2: a + b i; those of Fp have b = 0
  constructor(a, b = 0n) { this.a = mod(a, P); this.b = mod(b, P); }
  plus(o) { return new F(this.a + o.a, this.b + o.b); }
  minus(o) { return new F(this.a - o.a, this.b - o.b); }
  negated() { return new F(-this.a, -this.b); }
  times(o) { return this.b || o.b ? new F(this.a * o.a - this.b * o.b, this.a * o.b + this.b * o.a) : new F(this.a * o.a); }
  is(o) { return this.a === o.a && this.b === o.b; }
  get zero() { return !this.a && !this.b; }
  get sign() { return (this.a || this.b) & 1n; }
  inverse() { const n = inverse(this.a * this.a + this.b * this.b, P); return new F(this.a * n, -this.b * n); }
  power(e) { let r = new F(1n), x = this; for (; e; e >>= 1n) { if (e & 1n) r = r.times(x); x = x.times(x); } return r; }
  root(extended) {
    const fits = (root) => root.times(root).is(this) ? root : null, rootOf = (n) => power(n, (P + 1n) / 4n, P);
    if (!extended) return fits(new F(rootOf(this.a)));
    if (!this.b) { const n = rootOf(this.a); return fits(new F(n)) || new F(0n, n); }
    const norm = rootOf(this.a * this.a + this.b * this.b), half = inverse(2n, P);
    for (const square of [mod((this.a + norm) * half, P), mod((this.a - norm) * half, P)]) {
      const real = rootOf(square);
      if (real && real * real % P === square) { const root = fits(new F(real, this.b * inverse(2n * real, P))); if (root) return root; }
    }
    return null;
  }
}
function add(one, two) { // points of y^2 = x^3 + b; null is the point at infinity
  if (!one || !two) return one || two;
  const [x, y] = one, [v, w] = two;
  let slope;
  if (x.is(v)) {
    if (!y.is(w) || y.zero) return null;
    slope = x.times(x).times(new F(3n)).times(y.times(new F(2n)).inverse());
  } else slope = w.minus(y).times(v.minus(x).inverse());
  const third = slope.times(slope).minus(x).minus(v);
  return [third, slope.times(x.minus(third)).minus(y)];
}
function times(number, point) {
  let result = null;
  for (; number; number >>= 1n) { if (number & 1n) result = add(result, point); point = add(point, point); }
  return result;
}
function pointOf(data, extended, known = false) {
  if (data.length !== (extended ? 96 : 48) || data[0] >> 6 !== 2) return null;
  const largest = Boolean(data[0] & 0x20), numbers = [toNumber(data.slice(0, 48)) & (1n << 381n) - 1n];
  if (extended) numbers.push(toNumber(data.slice(48)));
  if (numbers.some((n) => n >= P)) return null;
  const x = extended ? new F(numbers[1], numbers[0]) : new F(numbers[0]);
  let y = x.times(x).times(x).plus(extended ? new F(4n, 4n) : new F(4n)).root(extended);
  if (!y) return null;
  if ((y.b || y.a) > (P - 1n) / 2n !== largest) y = y.negated();
  return known || times(R, [x, y]) === null ? [x, y] : null;
}
function expanded(message, tag, length) {
  tag = joined(tag, [tag.length]);
  const start = sha256(joined(new Uint8Array(64), message, [length >> 8, length & 255, 0], tag)), blocks = [sha256(joined(start, [1], tag))];
  while (32 * blocks.length < length) {
    const last = blocks[blocks.length - 1];
    blocks.push(sha256(joined(start.map((b, i) => b ^ last[i]), [blocks.length + 1], tag)));
  }
  return joined(...blocks).slice(0, length);
}
function hashToCurve(message, extended) {
  const parts = extended ? 2 : 1, tag = ascii(`BLS_SIG_BLS12381${extended ? "G2" : "G1"}_XMD:SHA-256_SSWU_RO_NUL_`);
  const data = expanded(message, tag, 128 * parts), numbers = [];
  for (let at = 0; at < data.length; at += 64) numbers.push(toNumber(data.slice(at, at + 64)));
  const elements = extended ? [new F(numbers[0], numbers[1]), new F(numbers[2], numbers[3])] : numbers.map((n) => new F(n));
  return times(extended ? COFACTOR2 : LOOP + 1n, add(...elements.map((u) => mapToCurve(u, extended))));
}
function mapToCurve(u, extended) {
  const [a, b, z] = extended ? [new F(0n, 240n), new F(1012n, 1012n), new F(-2n, -1n)] : [A11, B11, new F(11n)];
  const square = z.times(u).times(u), tail = square.times(square).plus(square), value = (x) => x.times(x).times(x).plus(a.times(x)).plus(b);
  let x = tail.zero ? b.times(z.times(a).inverse()) : b.negated().times(a.inverse()).times(new F(1n).plus(tail.inverse()));
  let y = value(x).root(extended);
  if (!y) { x = square.times(x); y = value(x).root(extended); }
  if (u.sign !== y.sign) y = y.negated();
  const [up, down, left, right] = (extended ? ISOGENY3 : ISOGENY11).map((c) => c.reduceRight((sum, each) => sum.times(x).plus(each), new F(0n)));
  return [up.times(down.inverse()), y.times(left).times(right.inverse())];
}
function times12(one, two) { // in Fp12 = Fp[w] / (w^12 - 2 w^6 + 2), where w^6 = 1 + i
  const result = Array(23).fill(0n);
  one.forEach((a, i) => { if (a) two.forEach((b, j) => { if (b) result[i + j] += a * b; }); });
  for (let at = 22; at > 11; at--) { result[at - 6] += 2n * result[at]; result[at - 12] -= 2n * result[at]; }
  return result.slice(0, 12).map((n) => mod(n, P));
}
function line(slope, at, low) {
  const constant = slope.times(at[0]).minus(at[1]), linear = slope.negated().times(low[0]), result = Array(12).fill(0n);
  result[0] = constant.a - constant.b; result[6] = constant.b;
  result[2] = linear.a - linear.b; result[8] = linear.b; result[3] = low[1].a;
  return result.map((n) => mod(n, P));
}
function pairsCancel(pairs) {
  const one = [1n, ...Array(11).fill(0n)], points = pairs.map(([, high]) => high);
  let product = one;
  for (const bit of LOOP.toString(2).slice(1)) {
    product = times12(product, product);
    pairs.forEach(([low, high], i) => {
      const [x, y] = points[i];
      product = times12(product, line(x.times(x).times(new F(3n)).times(y.times(new F(2n)).inverse()), points[i], low));
      points[i] = add(points[i], points[i]);
      if (bit === "1") {
        const [v, w] = points[i];
        product = times12(product, line(high[1].minus(w).times(high[0].minus(v).inverse()), points[i], low));
        points[i] = add(points[i], high);
      }
    });
  }
  // See verify.py for the exponent.
  const unity = new F(1n, 1n).power((P * P - 1n) / 6n).a;
  product = times12(product, product.map((n, at) => n * power(unity, BigInt(at), P) % P));
  const powers = [one, product];
  while (powers.length < 16) powers.push(times12(powers[powers.length - 1], product));
  let result = one;
  for (const digit of ((P ** 4n - P ** 2n + 1n) / R).toString(16)) {
    for (let i = 0; i < 4; i++) result = times12(result, result);
    result = times12(result, powers[parseInt(digit, 16)]);
  }
  return result.every((n, at) => at % 2 === 0 || n === 0n);
}
function isGenuineRound(chain, beacon) {
  const chained = chain.scheme === CHAINED, before = chained ? unhex(beacon.previous_signature) : [];
  const message = sha256(joined(before, toBytes(BigInt(beacon.round), 8)));
  const key = pointOf(unhex(chain.public_key), !chained), signature = pointOf(unhex(beacon.signature), chained);
  if (!key || !signature) return false;
  const hashed = hashToCurve(message, chained);
  return chained ? pairsCancel([[[G1[0], G1[1].negated()], signature], [key, hashed]])
    : pairsCancel([[[signature[0], signature[1].negated()], G2], [hashed, key]]);
}

const COFACTOR2 = 0xbc69f08f2ee75b3584c6a0ea91b352888e2a8e9145ad7689986ff031508ffe1329c2f178731db956d82bf015d1212b02ec0ec69d7477c1ae954cbc06689f6a359894c0adebbf6b4e8020005aaa95551n;
const A11 = new F(0x144698a3b8e9433d693a02c96d4982b0ea985383ee66a8d8e8981aefd881ac98936f8da0e0f97f5cf428082d584c1dn), B11 = new F(0x12e2908d11688030018b12e8753eee3b2016c1f0f24f4070a0b9c14fcef35ef55a23215a316ceaa5d1cc48e98e172be0n);
const ELEVEN = "11a05f2b1e833340b809101dd99815856b303e88a2d7005ff2627b56cdb4e2c85610c2d5f2e62d6eaeac1662734649b717294ed3e943ab2f0588bab2"
  + "2147a81c7c17e75b2f6a8417f565e33c70d1e86b4838f2a6f318c356e834eef1b3cb83bb0d54005db97678ec1d1048c5d10a9a1bce032473295983e5"
  + "6878e501ec68e25c958c3e3d2a09729fe0179f9dac9edcb01778e7166fcc6db74e0609d307e55412d7f5e4656a8dbf25f1b33289f1b330835336e25c"
  + "e3107193c5b388641d9b68610e99726a3199f4436642b4b3e4118e5499db995a1257fb3f086eeb65982fac18985a286f301e77c451154ce9ac8895d9"
  + "1630c3250d7313ff01d1201bf7a74ab5db3cb17dd952799b9ed3ab9097e68f90a0870d2dcae73d19cd13c1c66f6529830d6ed6553fe44d296a3726c3"
  + "8ae652bfb11586264f0f8ce19008e218f9c86b2a8da25128c1052ecaddd7f225a139ed8417b81e7701abdbe2e8743884d1117e53356de5ab275b4db1"
  + "a682c62ef0f2753339b7c8f8c8f475af9ccb5618e3f0c88e080d3cf1f9a78fc47b90b33563be990dc43b756ce79f5574a2c596c928c5d1de4fa295f2"
  + "96b74e956d71986a8497e317169b1f8e1bcfa7c42e0c37515d138f22dd2ecb803a0c5c99676314baf4bb1b7fa3190b2edc0327797f241067be390c9e"
  + "10321da079ce07e272d8ec09d2565b0dfa7dccdde6787f96d50af36003b14866f69b771f8c285decca67df3f1605fb7b06e08c248e260e70bd1e9623"
  + "81edee3d31d79d7e22c837bc23c0bf1bc24c6b68c24b1b80b64d391fa9c8ba2e8ba2d22908ca8d548cff19ae18b2e62f4bd3fa6f01d5ef4ba35b48ba"
  + "9c9588617fc8ac62b558d681be343df8993cf9fa40d21b1c12561a5deb559c4348b4711298e536367041e8ca0cf0800c0126c2588c48bf5713daa884"
  + "6cb026e9e5c8276ec82b3bff0b2962fe57a3225e8137e629bff2991f6f89416f5a718cd1fca64e00b11aceacd6a3d0967c94fedcfcc239ba5cb83e19"
  + "03425581a58ae2fec83aafef7c40eb545b08243f16b1655154cca8abc28d6fd04976d5243eecf5c4130de8938dc62cd813a8e162022914a80a6f1d5f"
  + "43e7a07dffdfc759a12062bb8d6b44e833b306da9bd29ba81f35781d539d395b3532a21e0e7355f8e4e667b955390f7f0506c6e9395735e9ce9cad4d"
  + "0a43bcef24b8982f7400d24bc4228f11c02df9a29f6304a50772caacf16936190f3e0c63e0596721570f5799af53a1894e2e073062aede9cea73b353"
  + "8f0de06cec2574496ee84a3a14a7ac2a9d64a8b230b3f5b074cf01996e7f63c21bca68a81996e1cdf9822c580fa5b9489d11e2d311f7d99bbdcc5a5e"
  + "0a10ecf6ada54f825e920b3dafc7a3cce07f8d1d7161366b74100da67f39883503826692abba43704776ec3a79a1d641095fc13ab9e92ad4476d6e3e"
  + "b3a56680f682b4ee96f7d03776df533978f31c1593174e4b4b7865002d6384d168ecdd0a000000000000000000000000000000000000000000000000"
  + "000000000000000000000000000000000000000000000001090d97c81ba24ee0259d1f094980dcfa11ad138e48a869522b52af6c956543d3cd0c7aee"
  + "9b3ba3c2be9845719707bb33134996a104ee5811d51036d776fb46831223e96c254f383d0f906343eb67ad34d6c56711962fa8bfe097e75a2e41c696"
  + "00cc786baa966e66f4a384c86a3b49942552e2d658a31ce2c344be4b91400da7d26d521628b00523b8dfe240c72de1f601f86376e8981c217898751a"
  + "d8746757d42aa7b90eeb791c09e4a3ec03251cf9de405aba9ec61deca6355c77b0e5f4cb08cc03fdefe0ff135caf4fe2a21529c4195536fbe3ce50b8"
  + "79833fd221351adc2ee7f8dc099040a841b6daecf2e8fedb16603fca40634b6a2211e11db8f0a6a074a7d0d4afadb7bd76505c3d3ad5544e203f6326"
  + "c95a807299b23ab13633a5f004ab0b9bcfac1bbcb2c977d027796b3ce75bb8ca2be184cb5231413c4d634f3747a87ac2460f415ec961f8855fe9d6f2"
  + "0987c8d5333ab86fde9926bd2ca6c674170a05bfe3bdd81ffd038da6c26c842642f64550fedfe935a15e4ca31870fb2909fc4018bd96684be88c9e22"
  + "1e4da1bb8f3abd16679dc26c1e8b6e6a1f20cabe69d65201c78607a360370e577bdba5870e1bba7a1186bdb5223abde7ada14a23c42a0ca7915af6fe"
  + "06985e7ed1e4d43b9b3f7055dd4eba6f2bafaaebca731c3019713e47937cd1be0dfd0b8f1d43fb93cd2fcbcb6caf493fd1183e416389e61031bf3a5c"
  + "ce3fbafce813711ad011c13218b46a908f36f6deb918c143fed2edcc523559b8aaf0c2462e6bfe7f911f643249d9cdf41b44d606ce07c8a4d0074d8e"
  + "0b182cac101b9399d155096004f53f447aa7b12a3426b08ec02710e807b4633f06c851c1919211f20d4c04f00b971ef80245a394ad1eca9b72fc00ae"
  + "7be315dc757b3b080d4c158013e6632d3c40659cc6cf90ad1c232a6442d9d3f5db98013305c129645e44cf1102a159f748c4a3fc5e673d81d7e86568"
  + "d9ab0f5d396a7ce46ba1049b6579afb7866b1e715475224b15e6be4e990f03ce4ea50b3b42df2eb5cb181d8f84965a3957add4fa95af01b2b665027e"
  + "fec01c7704b456be69c8b60416112c4c3a9c98b252181140fad0eae9601a6de578980be6eec3232b5be72e7a07f3688ef60c206d01479253b03663c1"
  + "1962d75c2381201e1a0cbd6c43c348b885c84ff731c4d59ca4a10356f453e01f78a4260763529e3532f6102c2e49a03d058df3306640da276faaae7d"
  + "6e8eb15778c4855551ae7f310c35a5dd279cd2eca6757cd636f96f891e2538b53dbf67f216b7d288798e5395f20d23bf89edb4d1d115c5dbddbcd30e"
  + "123da489e726af41727364f2c28297ada8d26d98445f54160be0e079545f43e4b00cc912f8228ddcc6d19c9f0f69bbb0542eda0fc9dec916a20b15dc"
  + "0fd2ededda39142311a5001d08d9e5297186db2d9fb266eaac783182b70152c65550d881c5ecd87b6f0f5a6449f38db9dfa9cce202c6477faaf9b7ac"
  + "166007c08a99db2fc3ba8734ace9824b5eecfdfa8d0cf8ef5dd365bc400a0051d5fa9c01a58b1fb93d1a1399126a775c16a3ef08be3ea7ea03bcddfa"
  + "bba6ff6ee5a4375efa1f4fd7feb34fd206357132b920f5b00801dee460ee415a15812ed91866c8ed336c61231a1be54fd1d74cc4f9fb0ce4c6af5920"
  + "abc5750c4bf39b4852cfe2f7bb9248836b233d9d55535d4a167a55cda70a6e1cea820597d94a84903216f763e13d87bb5308592e7ea7d4fbc7385ea3"
  + "d529b35e346ef48bb8913f5504d2f259eea405bd48f010a01ad2911d9c6dd039bb61a6290e591b36e636a5c871a5c29f4f83060400f8b49cba8f6aa8"
  + "0accbb67481d033ff5852c1e48c50c477f94ff8aefce42d28c0f9a88cea7913516f968986f7ebbea9684b529e25610920ad6b9514c767fe3c3613144"
  + "b45f1496543346d98adf02267d5ceef9a00d9b8693000763e3b90ac11e99b138573345cc02660400eb2e4f3b628bdd0d53cd76f2bf565b94e72927c1"
  + "cb748df27942480e420517bd8714cc80d1fadc1326ed06f70e0fa1d816ddc03e6b24255e0d7819c171c40f65e273b853324efcd6356caa205ca2f570"
  + "f13497804415473a1d634b8f000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001";
const THREE = "05c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d605c759507e8e333ebb5b7a9a"
  + "47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6000000000000000000000000000000000000000000000000"
  + "00000000000000000000000000000000000000000000000011560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9"
  + "cb8d555526a9ffffffffc71a11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71e"
  + "08ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38d171d6541fa38ccfaed6dea69"
  + "1f5fb614cb14b4e7f4e810aa22d6108f142b85757098e38d0f671c7188e2aaaaaaaa5ed1000000000000000000000000000000000000000000000000"
  + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
  + "0000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa63"
  + "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000c1a0111ea397fe69a4b1ba7b6"
  + "434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa9f000000000000000000000000000000000000000000000000"
  + "000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000000000000000"
  + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
  + "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001530477c7ab4113b59a4c18b"
  + "076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d7061530477c7ab4113b59a4c18b076d11930f7da5d4a07f649b"
  + "f54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706000000000000000000000000000000000000000000000000000000000000000000000000"
  + "00000000000000000000000005c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97be"
  + "11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71c08ab05f8bdd54cde190937e7"
  + "6bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38f124c9ad43b6cf79bfbf7043de3811ad0761b0f37a1e26286"
  + "b0e977c69aa274524e79097a56dc4bd9e1b371c71c718b10000000000000000000000000000000000000000000000000000000000000000000000000"
  + "0000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa8fb"
  + "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa8fb000000000000000000000000"
  + "0000000000000000000000000000000000000000000000000000000000000000000000001a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf"
  + "6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa9d3000000000000000000000000000000000000000000000000000000000000000000000000"
  + "0000000000000000000000121a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa99"
  + "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001000000000000000000000000"
  + "000000000000000000000000000000000000000000000000000000000000000000000000";
function polynomials(digits, lengths, extended) {
  const numbers = digits.match(/.{96}/g).map((n) => BigInt("0x" + n));
  return lengths.map((length) => Array.from({length}, () => new F(numbers.shift(), extended ? numbers.shift() : 0n)));
}
const ISOGENY11 = polynomials(ELEVEN, [12, 11, 16, 16], false), ISOGENY3 = polynomials(THREE, [4, 4, 4, 4], true);
const G1 = pointOf(unhex("97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"), false, true);
const G2 = pointOf(unhex("93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
  + "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"), true, true);

// -- the verdict

/** Returns kind ("holds", "fails", "none"), code (of "none"), game and checks: code, verdict, what it names. */
function verdict(raw, kept = {}) {
  let proof;
  try { proof = read(raw); } catch (error) {
    if (!(error instanceof NotAProof)) throw error;
    return {kind: "none", code: error.message, game: "", checks: []};
  }
  const made = [...checks(proof), ...keptChecks(proof, kept)];
  const game = (proof.format === FIRST ? proof : proof.opening).game;
  return {kind: made.every(([, passed]) => passed) ? "holds" : "fails", code: "", game, checks: made};
}

export { verdict };
