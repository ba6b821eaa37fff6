// node's generic-pool, a pool for each key: driver.js WORKLOAD [OPTION VALUE]...
// One thread; the clients are asynchronous functions.
'use strict';
const path = require('path');
const { createRequire } = require('module');
// Installed outside of the sources, see benchmarks/peers/run.
const load = process.env.PEER_MODULES ? createRequire(path.join(process.env.PEER_MODULES, 'x.js')) : require;
const { createPool } = load('generic-pool');

function end(status, why) {
  console.error(`generic_pool: ${why}`);
  process.exit(status);
}

const words = process.argv.slice(2);
if (words.length % 2 === 0)
  end(2, 'usage: driver.js WORKLOAD [OPTION VALUE]...');
const workload = words[0];
const options = {};
for (let i = 1; i < words.length; i += 2)
  options[words[i]] = words[i + 1];
const number = (name, otherwise) => (name in options ? Number(options[name]) : otherwise);
const w5 = workload === 'W5';
const w2 = workload === 'W2';
const clients = number('--clients', w5 ? 64 : 2);
const keyCount = number('--keys', w5 ? 1 : w2 ? 1e6 : 1000);
const seconds = number('--seconds', 2);
const limit = number('--limit', workload === 'W1' ? 8 : w2 ? 4 : 1);
const total = number('--total', w2 ? 1e5 : Infinity);
const seed = number('--seed', 1);
const from = options['--from'] || 'threads';
if (!['W1', 'W2', 'W3', 'W5'].includes(workload) || from !== 'threads' || '--pace' in options
    || '--operations' in options)
  end(3, 'cannot do that');

let opened = 0;
let open = 0;
const factory = {
  create: async () => {
    opened++;
    open++;
    return { params: '' };
  },
  destroy: async () => {
    open--;
  },
};

// Pools by key, the least recently used first.
const pools = new Map();
function poolOf(key) {
  let pool = pools.get(key);
  if (pool === undefined) {
    pool = createPool(factory, { max: limit, min: 0 });
    pools.set(key, pool);
    if (open >= total) {
      const [oldest, gone] = pools.entries().next().value;
      pools.delete(oldest);
      gone.drain().then(() => gone.clear());
    }
  } else if (total !== Infinity) {
    pools.delete(key);
    pools.set(key, pool);
  }
  return pool;
}

const nameOf = (n) => 'key-' + n.toString(16).padStart(8, '0');

// Any generator will do; this one is mulberry32.
function randomFrom(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

let sums;
function zipf(random) {
  if (sums === undefined) {
    sums = new Float64Array(keyCount);
    let sum = 0;
    for (let i = 0; i < keyCount; i++)
      sums[i] = sum += Math.pow(i + 1, -0.99);
  }
  const wanted = random() * sums[keyCount - 1];
  let low = 0;
  let high = keyCount - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

const gcd = (a, b) => (b === 0 ? a : gcd(b, a % b));
let step = Math.floor(keyCount * 0.618) | 1;
while (gcd(step, keyCount) !== 1) step++;

// Buckets are linear within a power of two, times are below 2^45 ns.
const counts = new Float64Array(58 * 128);
let timed = 0;
let max = 0;
function note(ns) {
  let shift = 0;
  let top = ns;
  while (top >= 256) {
    top = Math.floor(top / 2);
    shift++;
  }
  counts[shift === 0 ? top : shift * 128 + top]++;
  timed++;
  max = Math.max(max, ns);
}
function at(share) {
  const wanted = Math.max(1, Math.ceil(share * timed));
  let seen = 0;
  for (let i = 0; i < counts.length; i++) {
    seen += counts[i];
    if (seen >= wanted) {
      const shift = i < 256 ? 0 : Math.floor(i / 128) - 1;
      return Math.min(i < 256 ? i : (i - shift * 128 + 1) * 2 ** shift - 1, max);
    }
  }
  return max;
}

let phase = 'warm';
let counted = 0;
let last = -1;
const served = new Array(clients).fill(0);

// Promises that follow each other would let no timer come. All go on together:
// one alone would hand over to nobody.
let gate = null;
function breath() {
  gate = gate || new Promise((go) => setImmediate(() => {
    gate = null;
    go();
  }));
  return gate;
}

async function client(index) {
  let turns = 0;
  const random = randomFrom(seed * 1000003 + index);
  let place = Math.floor((keyCount * index) / clients);
  let left = keyCount;
  let odd = 0;
  const draws = w2 ? Uint32Array.from({ length: 1 << 19 }, () => zipf(random)) : null;
  let draw = 0;
  for (;;) {
    const now = phase;
    if (now === 'over') return;
    if (++turns % 64 === 0) await breath();
    let n = 0;
    if (workload === 'W1') n = Math.floor(random() * keyCount);
    else if (w2) n = draws[draw++ & (draws.length - 1)];
    else if (workload === 'W3') {
      if (left-- === 0) {
        left = keyCount - 1;
        odd = 1 - odd;
      }
      n = place = (place + step) % keyCount;
    }
    const start = now === 'time' ? process.hrtime.bigint() : 0n;
    const pool = poolOf(nameOf(n));
    let x = await pool.acquire();
    if (workload === 'W3') {
      const params = 'p' + (2 * index + odd);
      if (x.params !== params) {
        await pool.destroy(x);
        x = await pool.acquire();
        x.params = params;
      }
    }
    const worth = !w5 || last !== index ? 1 : 0;
    last = index;
    pool.release(x).catch(() => {});
    if (now === 'time') note(Number(process.hrtime.bigint() - start));
    else if (now === 'rate') counted += worth;
    if (now !== 'warm') served[index]++;
  }
}

const pause = (s) => new Promise((done) => setTimeout(done, s * 1000));

async function main() {
  if (!w2) for (let i = 0; i < keyCount; i++) await poolOf(nameOf(i)).use(async () => {});
  const all = [];
  for (let i = 0; i < clients; i++) all.push(client(i));
  await pause(Math.max(seconds / 4, 0.5));
  while (w2 && open < total * 0.99 && opened < 4 * total) await pause(0.1);
  const before = opened;
  const cpu = process.cpuUsage();
  const start = process.hrtime.bigint();
  phase = 'rate';
  await pause(seconds);
  phase = 'time';
  const took = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(cpu);
  const openedNow = opened - before;
  await pause(seconds / 2);
  phase = 'over';
  await Promise.all(all);
  const sum = served.reduce((a, b) => a + b, 0);
  const squares = served.reduce((a, b) => a + b * b, 0);
  console.log(JSON.stringify({
    driver: 'generic_pool', workload, clients, from, keys: keyCount, seconds, limit,
    total: total === Infinity ? null : total, operations: counted, rate: counted / took,
    p50_ns: at(0.5), p90_ns: at(0.9), p99_ns: at(0.99), p999_ns: at(0.999), max_ns: max,
    cpu_seconds: (used.user + used.system) / 1e6,
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024, bytes_per_key: null,
    hit_rate: w5 ? null : Math.max(0, 1 - openedNow / Math.max(counted, 1)),
    jain: (sum * sum) / (clients * squares), longest_wait_ns: w5 ? max : null,
    expire_all_ms: null, tick_idle_us: null,
  }));
  process.exit(0);
}

main().catch((error) => end(1, error.message));
