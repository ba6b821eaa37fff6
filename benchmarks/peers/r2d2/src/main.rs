// r2d2, a pool for each key: peer_r2d2 WORKLOAD [OPTION VALUE]...
use scheduled_thread_pool::ScheduledThreadPool;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

const WARM: u8 = 0;
const RATE: u8 = 1;
const TIME: u8 = 2;
const OVER: u8 = 3;

static OPENED: AtomicU64 = AtomicU64::new(0);

struct Resource {
    params: String,
}

struct Opener;

impl r2d2::ManageConnection for Opener {
    type Connection = Resource;
    type Error = std::io::Error;

    fn connect(&self) -> Result<Resource, std::io::Error> {
        OPENED.fetch_add(1, Relaxed);
        Ok(Resource { params: String::new() })
    }

    fn is_valid(&self, _: &mut Resource) -> Result<(), std::io::Error> {
        Ok(())
    }

    fn has_broken(&self, _: &mut Resource) -> bool {
        false
    }
}

type Pool = r2d2::Pool<Opener>;

struct Run {
    workload: String,
    from: String,
    clients: usize,
    keys: usize,
    seconds: f64,
    limit: u32,
    seed: u64,
}

struct Shared {
    pools: HashMap<String, Pool>,
    names: Vec<String>,
    phase: AtomicU8,
    last: AtomicUsize,
}

// Buckets are linear within a power of two.
struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    fn new() -> Self {
        Histogram { counts: vec![0; 58 * 128], total: 0, max: 0 }
    }

    fn add(&mut self, n: u64) {
        let width = 64 - n.leading_zeros() as u64;
        let shift = width.saturating_sub(8);
        let index = if shift == 0 { n } else { shift * 128 + (n >> shift) };
        self.counts[index as usize] += 1;
        self.total += 1;
        self.max = self.max.max(n);
    }

    fn merge(&mut self, x: &Histogram) {
        for (a, b) in self.counts.iter_mut().zip(&x.counts) {
            *a += b;
        }
        self.total += x.total;
        self.max = self.max.max(x.max);
    }

    fn at(&self, share: f64) -> u64 {
        let wanted = ((share * self.total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        for (i, n) in self.counts.iter().enumerate() {
            seen += n;
            if seen >= wanted {
                let i = i as u64;
                let shift = if i < 256 { 0 } else { i / 128 - 1 };
                let last = if i < 256 { i } else { ((i - shift * 128 + 1) << shift) - 1 };
                return last.min(self.max);
            }
        }
        self.max
    }
}

struct Client {
    index: usize,
    random: u64,
    at: usize,
    step: usize,
    left: usize,
    odd: usize,
    params: [String; 2],
}

struct Log {
    times: Histogram,
    counted: u64,
    served: u64,
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Client {
    fn new(run: &Run, index: usize) -> Self {
        let mut step = (run.keys as f64 * 0.618) as usize | 1;
        while gcd(step, run.keys) != 1 {
            step += 1;
        }
        Client {
            index,
            random: run.seed * 1_000_003 + index as u64,
            at: run.keys * index / run.clients,
            step,
            left: run.keys,
            odd: 0,
            params: [format!("p{}", 2 * index), format!("p{}", 2 * index + 1)],
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        (((z ^ (z >> 31)) >> 32) as usize * n) >> 32
    }

    // What the operation counts for.
    fn go(&mut self, run: &Run, all: &Shared) -> u64 {
        match run.workload.as_str() {
            "W1" => {
                let n = self.below(run.keys);
                drop(all.pools[all.names[n].as_str()].get().unwrap());
                1
            }
            "W3" => {
                if self.left == 0 {
                    self.left = run.keys;
                    self.odd = 1 - self.odd;
                }
                self.left -= 1;
                self.at = (self.at + self.step) % run.keys;
                let mut x = all.pools[all.names[self.at].as_str()].get().unwrap();
                // r2d2 has no params: who has one with others opens it anew in place.
                if x.params != self.params[self.odd] {
                    OPENED.fetch_add(1, Relaxed);
                    *x = Resource { params: self.params[self.odd].clone() };
                }
                1
            }
            _ => {
                let x = all.pools[all.names[0].as_str()].get().unwrap();
                let worth = all.last.swap(self.index, Relaxed) != self.index;
                drop(x);
                worth as u64
            }
        }
    }

    fn work(mut self, run: &Run, all: &Shared) -> Log {
        let mut log = Log { times: Histogram::new(), counted: 0, served: 0 };
        loop {
            match all.phase.load(Relaxed) {
                OVER => return log,
                TIME => {
                    let start = Instant::now();
                    self.go(run, all);
                    log.times.add(start.elapsed().as_nanos() as u64);
                    log.served += 1;
                }
                RATE => {
                    log.counted += self.go(run, all);
                    log.served += 1;
                }
                _ => {
                    self.go(run, all);
                }
            }
        }
    }
}

fn end(status: i32, why: &str) -> ! {
    eprintln!("r2d2: {}", why);
    std::process::exit(status)
}

fn parse() -> Run {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.len() % 2 == 0 {
        end(2, "usage: peer_r2d2 WORKLOAD [OPTION VALUE]...");
    }
    let options: HashMap<&str, &str> = words[1..].chunks(2).map(|x| (x[0].as_str(), x[1].as_str())).collect();
    let number = |name: &str, otherwise: f64| -> f64 {
        options.get(name).map_or(otherwise, |x| x.parse().unwrap_or_else(|_| end(2, name)))
    };
    let w5 = words[0] == "W5";
    let run = Run {
        workload: words[0].clone(),
        from: options.get("--from").unwrap_or(&"threads").to_string(),
        clients: number("--clients", if w5 { 64.0 } else { 2.0 }) as usize,
        keys: number("--keys", if w5 { 1.0 } else { 1000.0 }) as usize,
        seconds: number("--seconds", 2.0),
        limit: number("--limit", if words[0] == "W1" { 8.0 } else { 1.0 }) as u32,
        seed: number("--seed", 1.0) as u64,
    };
    let known = ["W1", "W3", "W5"].contains(&run.workload.as_str());
    if !known || run.from != "threads" || options.contains_key("--pace") || options.contains_key("--operations") {
        end(3, "cannot do that: a pool for each key knows nothing of the others");
    }
    run
}

// The figures of this process in /proc.
fn status_bytes(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|x| x.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let rest: Vec<&str> = text[text.rfind(')').unwrap() + 2..].split(' ').collect();
    let ticks: f64 = rest[11].parse::<f64>().unwrap() + rest[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn main() {
    let run = Arc::new(parse());
    let before = status_bytes("VmRSS:");
    let workers = Arc::new(ScheduledThreadPool::new(3));
    let names: Vec<String> = (0..run.keys).map(|i| format!("key-{:08x}", i)).collect();
    let mut pools = HashMap::new();
    for name in &names {
        let pool = r2d2::Pool::builder()
            .max_size(run.limit)
            .min_idle(Some(if run.workload == "W1" { run.limit.min(run.clients as u32) } else { 1 }))
            .test_on_check_out(false)
            .thread_pool(workers.clone())
            .build(Opener)
            .unwrap();
        pools.insert(name.clone(), pool);
    }
    let bytes = (status_bytes("VmRSS:") - before) as f64 / run.keys as f64;
    let all = Arc::new(Shared { pools, names, phase: AtomicU8::new(WARM), last: AtomicUsize::new(usize::MAX) });
    let clients: Vec<_> = (0..run.clients)
        .map(|i| {
            let (run, all) = (run.clone(), all.clone());
            thread::spawn(move || Client::new(&run, i).work(&run, &all))
        })
        .collect();
    let sleep = |s: f64| thread::sleep(Duration::from_secs_f64(s));
    sleep(run.seconds / 4.0);
    let opened = OPENED.load(Relaxed);
    let cpu = cpu_seconds();
    let start = Instant::now();
    all.phase.store(RATE, Relaxed);
    sleep(run.seconds);
    all.phase.store(TIME, Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - cpu;
    let opened = OPENED.load(Relaxed) - opened;
    sleep(run.seconds / 2.0);
    all.phase.store(OVER, Relaxed);
    let logs: Vec<Log> = clients.into_iter().map(|x| x.join().unwrap()).collect();
    report(&run, &logs, seconds, cpu, opened, bytes);
}

fn report(run: &Run, logs: &[Log], seconds: f64, cpu: f64, opened: u64, bytes: f64) {
    let mut times = Histogram::new();
    let (mut operations, mut sum, mut squares) = (0u64, 0f64, 0f64);
    for x in logs {
        times.merge(&x.times);
        operations += x.counted;
        sum += x.served as f64;
        squares += (x.served as f64) * (x.served as f64);
    }
    let w5 = run.workload == "W5";
    let or_null = |known: bool, x: f64| if known { x.to_string() } else { "null".to_string() };
    println!(
        "{{\"driver\":\"r2d2\",\"workload\":\"{}\",\"clients\":{},\"from\":\"{}\",\"keys\":{},\"seconds\":{},\
         \"limit\":{},\"operations\":{},\"rate\":{},\"p50_ns\":{},\"p90_ns\":{},\"p99_ns\":{},\"p999_ns\":{},\
         \"max_ns\":{},\"cpu_seconds\":{},\"peak_rss_bytes\":{},\"bytes_per_key\":{},\"hit_rate\":{},\"jain\":{},\
         \"longest_wait_ns\":{},\"expire_all_ms\":null,\"tick_idle_us\":null}}",
        run.workload,
        run.clients,
        run.from,
        run.keys,
        run.seconds,
        run.limit,
        operations,
        operations as f64 / seconds,
        times.at(0.5),
        times.at(0.9),
        times.at(0.99),
        times.at(0.999),
        times.max,
        cpu,
        status_bytes("VmHWM:"),
        or_null(run.keys >= 10_000, bytes),
        or_null(!w5, (1.0 - opened as f64 / operations.max(1) as f64).max(0.0)),
        sum * sum / (logs.len() as f64 * squares),
        or_null(w5, times.max as f64),
    );
}
