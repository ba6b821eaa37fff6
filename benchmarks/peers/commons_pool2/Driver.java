// Apache Commons Pool 2, a keyed pool: Driver WORKLOAD [OPTION VALUE]...
// With -Dfair=true those who wait are served in order.
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.commons.pool2.BaseKeyedPooledObjectFactory;
import org.apache.commons.pool2.PooledObject;
import org.apache.commons.pool2.impl.DefaultPooledObject;
import org.apache.commons.pool2.impl.GenericKeyedObjectPool;
import org.apache.commons.pool2.impl.GenericKeyedObjectPoolConfig;

public final class Driver {
  static final int WARM = 0, RATE = 1, TIME = 2, OVER = 3;
  // Giving back walks all keys: more would take longer than anybody waits.
  static final int KEYS_MAX = 10_000;

  static volatile int phase = WARM;
  static final AtomicInteger lastHolder = new AtomicInteger(-1);
  static final AtomicLong opened = new AtomicLong();

  static final class Resource {
    String params = "";
  }

  static final class Opener extends BaseKeyedPooledObjectFactory<String, Resource> {
    @Override
    public Resource create(String key) {
      opened.incrementAndGet();
      return new Resource();
    }

    @Override
    public PooledObject<Resource> wrap(Resource x) {
      return new DefaultPooledObject<>(x);
    }
  }

  // Buckets are linear within a power of two.
  static final class Histogram {
    final long[] counts = new long[58 * 128];
    long total;
    long max;

    void add(long n) {
      int width = 64 - Long.numberOfLeadingZeros(n);
      int shift = Math.max(width - 8, 0);
      counts[(int) (width <= 8 ? n : shift * 128L + (n >> shift))]++;
      total++;
      max = Math.max(max, n);
    }

    void merge(Histogram x) {
      for (int i = 0; i < counts.length; i++)
        counts[i] += x.counts[i];
      total += x.total;
      max = Math.max(max, x.max);
    }

    Long at(double share) {
      if (total == 0)
        return null;
      long wanted = Math.max(1, (long) Math.ceil(share * total));
      long seen = 0;
      for (int i = 0; i < counts.length; i++) {
        seen += counts[i];
        if (seen >= wanted) {
          int shift = i < 256 ? 0 : i / 128 - 1;
          long last = i < 256 ? i : ((i - shift * 128L + 1) << shift) - 1;
          return Math.min(last, max);
        }
      }
      return max;
    }
  }

  static final class Client extends Thread {
    final GenericKeyedObjectPool<String, Resource> pool;
    final String[] keys;
    final String workload;
    final int index;
    final int step;
    int at;
    int left;
    boolean odd;
    final SplittableRandom random;
    final Histogram times = new Histogram();
    long counted;
    long served;
    Exception failure;

    Client(GenericKeyedObjectPool<String, Resource> pool, String[] keys, String workload, int index, int clients,
        long seed) {
      this.pool = pool;
      this.keys = keys;
      this.workload = workload;
      this.index = index;
      this.at = (int) ((long) keys.length * index / clients);
      this.left = keys.length;
      this.step = stepFor(keys.length);
      this.random = new SplittableRandom(seed * 1_000_003 + index);
    }

    static int stepFor(int keys) {
      int step = (int) (keys * 0.618) | 1;
      while (gcd(step, keys) != 1)
        step++;
      return step;
    }

    static int gcd(int a, int b) {
      return b == 0 ? a : gcd(b, a % b);
    }

    @Override
    public void run() {
      try {
        for (int now = phase; now != OVER; now = phase) {
          if (now != TIME) {
            long worth = use();
            if (now == RATE) {
              counted += worth;
              served++;
            }
            continue;
          }
          long start = System.nanoTime();
          use();
          times.add(System.nanoTime() - start);
          served++;
        }
      } catch (Exception e) {
        failure = e;
      }
    }

    long use() throws Exception {
      switch (workload) {
        case "W1":
          return lend(keys[random.nextInt(keys.length)]);
        case "W3":
          return reopen();
        default:
          Resource x = pool.borrowObject(keys[0]);
          long worth = lastHolder.getAndSet(index) != index ? 1 : 0;
          pool.returnObject(keys[0], x);
          return worth;
      }
    }

    long lend(String key) throws Exception {
      Resource x = pool.borrowObject(key);
      pool.returnObject(key, x);
      return 1;
    }

    // The pool has no params: who gets one with others opens it anew in place.
    long reopen() throws Exception {
      if (left == 0) {
        left = keys.length;
        odd = !odd;
      }
      left--;
      at = (int) (((long) at + step) % keys.length);
      String params = "p" + (2 * index + (odd ? 1 : 0));
      Resource x = pool.borrowObject(keys[at]);
      if (!x.params.equals(params)) {
        opened.incrementAndGet();
        x.params = params;
      }
      pool.returnObject(keys[at], x);
      return 1;
    }
  }

  static final Map<String, String> options = new HashMap<>();

  static double number(String name, double otherwise) {
    return options.containsKey(name) ? Double.parseDouble(options.get(name)) : otherwise;
  }

  static void end(int status, String why) {
    System.err.println("commons_pool2: " + why);
    System.exit(status);
  }

  static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  static long peakBytes() throws Exception {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:"))
        return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
    return 0;
  }

  public static void main(String[] words) throws Exception {
    if (words.length % 2 == 0)
      end(2, "usage: Driver WORKLOAD [OPTION VALUE]...");
    String workload = words[0];
    for (int i = 1; i < words.length; i += 2)
      options.put(words[i], words[i + 1]);
    boolean w5 = workload.equals("W5");
    int clients = (int) number("--clients", w5 ? 64 : 2);
    int keyCount = (int) number("--keys", w5 ? 1 : 1000);
    double seconds = number("--seconds", 2);
    int limit = (int) number("--limit", workload.equals("W1") ? 8 : 1);
    String from = options.getOrDefault("--from", "threads");
    if (!List.of("W1", "W3", "W5").contains(workload) || !from.equals("threads") || keyCount > KEYS_MAX
        || options.containsKey("--pace") || options.containsKey("--operations"))
      end(3, "cannot do that: giving back walks all keys, and there is no least recently used one of all");

    GenericKeyedObjectPoolConfig<Resource> config = new GenericKeyedObjectPoolConfig<>();
    config.setMaxTotalPerKey(limit);
    config.setMaxIdlePerKey(limit);
    config.setMaxTotal(-1);
    config.setFairness(Boolean.getBoolean("fair"));
    config.setJmxEnabled(false);
    var pool = new GenericKeyedObjectPool<>(new Opener(), config);
    String[] keys = new String[keyCount];
    for (int i = 0; i < keyCount; i++)
      keys[i] = String.format("key-%08x", i);
    for (String key : keys)
      pool.returnObject(key, pool.borrowObject(key));
    report(workload, from, clients, keyCount, seconds, limit, run(pool, keys, workload, clients, seconds));
  }

  static double rate;
  static double cpuSeconds;
  static long operations;
  static double hitRate;

  static List<Client> run(GenericKeyedObjectPool<String, Resource> pool, String[] keys, String workload, int clients,
      double seconds) throws Exception {
    List<Client> all = new ArrayList<>();
    for (int i = 0; i < clients; i++)
      all.add(new Client(pool, keys, workload, i, clients, (long) number("--seed", 1)));
    for (Client x : all)
      x.start();
    // What is not compiled yet says nothing.
    Thread.sleep((long) (1000 * Math.max(seconds / 4, 2)));
    long openedBefore = opened.get();
    long cpu = cpuNanos();
    long start = System.nanoTime();
    phase = RATE;
    Thread.sleep((long) (1000 * seconds));
    phase = TIME;
    double took = (System.nanoTime() - start) / 1e9;
    cpuSeconds = (cpuNanos() - cpu) / 1e9;
    long openedNow = opened.get() - openedBefore;
    Thread.sleep((long) (500 * seconds));
    phase = OVER;
    for (Client x : all) {
      x.join();
      if (x.failure != null)
        throw x.failure;
      operations += x.counted;
    }
    rate = operations / took;
    hitRate = Math.max(0, 1 - (double) openedNow / Math.max(operations, 1));
    return all;
  }

  static void report(String workload, String from, int clients, int keys, double seconds, int limit, List<Client> all)
      throws Exception {
    Histogram times = new Histogram();
    double sum = 0;
    double squares = 0;
    for (Client x : all) {
      times.merge(x.times);
      sum += x.served;
      squares += (double) x.served * x.served;
    }
    boolean w5 = workload.equals("W5");
    System.out.printf(Locale.ROOT,
        "{\"driver\":\"%s\",\"workload\":\"%s\",\"clients\":%d,\"from\":\"%s\",\"keys\":%d,\"seconds\":%s,"
            + "\"limit\":%d,\"operations\":%d,\"rate\":%f,\"p50_ns\":%d,\"p90_ns\":%d,\"p99_ns\":%d,\"p999_ns\":%d,"
            + "\"max_ns\":%d,\"cpu_seconds\":%f,\"peak_rss_bytes\":%d,\"bytes_per_key\":null,\"hit_rate\":%s,"
            + "\"jain\":%f,\"longest_wait_ns\":%s,\"expire_all_ms\":null,\"tick_idle_us\":null}%n",
        Boolean.getBoolean("fair") ? "commons_pool2_fair" : "commons_pool2", workload, clients, from, keys, seconds,
        limit, operations, rate, times.at(0.5), times.at(0.9), times.at(0.99), times.at(0.999), times.max, cpuSeconds,
        peakBytes(), w5 ? "null" : String.format(Locale.ROOT, "%f", hitRate), sum * sum / (all.size() * squares),
        w5 ? Long.toString(times.max) : "null");
  }
}
