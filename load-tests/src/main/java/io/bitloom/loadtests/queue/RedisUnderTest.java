package io.bitloom.loadtests.queue;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The cluster's Redis: its memory, and how fast it is by itself, over one connection. */
final class RedisUnderTest implements AutoCloseable {

  private static final int BATCH = 64;
  private static final int IN_FLIGHT = 32;
  private static final int OUTCOME_HEADER = 17;
  private static final String VALUE = "x".repeat(110);

  /** The least that a queue has to do for a batch: keep the payloads, and their order. */
  private static final String ADD =
      "local ids = {} for i = 1, #ARGV do local id = redis.call('INCR', KEYS[3])"
          + " redis.call('HSET', KEYS[1], id, ARGV[i]) ids[i] = id end"
          + " redis.call('RPUSH', KEYS[2], unpack(ids)) return #ids";

  /** Takes a batch, notes who has it until when, and hands out the payloads. */
  private static final String LEASE =
      "local ids = redis.call('LPOP', KEYS[2], ARGV[1]) if not ids then return {} end"
          + " redis.call('ZADD', KEYS[4], redis.call('TIME')[1] + 10, ids[1])"
          + " redis.call('HSET', KEYS[5], ids[1], table.concat(ids, ','))"
          + " return redis.call('HMGET', KEYS[1], unpack(ids))";

  private static final String[] KEYS = {
    "{raw}:values", "{raw}:order", "{raw}:id", "{raw}:leases", "{raw}:held"
  };

  private final RedisClient client;
  private final StatefulRedisConnection<String, String> connection;
  private final StatefulRedisConnection<String, byte[]> binary;
  private final RedisAsyncCommands<String, String> redis;

  RedisUnderTest(String uri) {
    client = RedisClient.create(uri);
    connection = client.connect();
    binary = client.connect(RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE));
    redis = connection.async();
  }

  /** Bytes of data and indexes, without buffers of connections and of the append-only file. */
  long memory() throws Exception {
    String memory = redis.info("memory").get();
    return field(memory, "used_memory")
        - field(memory, "mem_clients_normal")
        - field(memory, "mem_aof_buffer");
  }

  void appendFsync(String policy) throws Exception {
    redis.configSet("appendfsync", policy).get();
  }

  /** Keeps nothing on disk, so that only what is asked for takes time. */
  void withoutLog() throws Exception {
    redis.configSet("appendonly", "no").get();
  }

  void resetStatistics() throws Exception {
    redis.configResetstat().get();
  }

  /** Calls and time of every command since {@link #resetStatistics}. */
  String commands() throws Exception {
    return redis.info("commandstats").get();
  }

  /** How many commands were carried out since {@link #resetStatistics}, those of scripts too. */
  long calls() throws Exception {
    return Pattern.compile("calls=(\\d+)")
        .matcher(commands())
        .results()
        .mapToLong(command -> Long.parseLong(command.group(1)))
        .sum();
  }

  /** Mean length of a job's outcomes without their header of {@value #OUTCOME_HEADER} bytes. */
  double meanOutcome(String jobId) throws Exception {
    List<byte[]> some = binary.async().lrange("bitloom:{j:" + jobId + "}:results:0", 0, 999).get();
    return some.stream().mapToInt(outcome -> outcome.length - OUTCOME_HEADER).average().orElse(0);
  }

  /** Processor time of its main thread and its children. */
  double cpuMicros() throws Exception {
    String cpu = redis.info("cpu").get();
    double seconds = 0;
    for (String part : List.of("used_cpu_user", "used_cpu_sys")) {
      Matcher field = Pattern.compile("(?m)^" + part + ":([\\d.]+)").matcher(cpu);
      seconds += field.find() ? Double.parseDouble(field.group(1)) : 0;
    }
    return seconds * 1e6;
  }

  private static long field(String info, String name) {
    Matcher field = Pattern.compile("(?m)^" + name + ":(\\d+)").matcher(info);
    if (!field.find()) {
      throw new IllegalStateException("Redis does not tell " + name);
    }
    return Long.parseLong(field.group(1));
  }

  String version() throws Exception {
    String server = redis.info("server").get();
    Matcher version = Pattern.compile("redis_version:(\\S+)").matcher(server);
    return version.find() ? version.group(1) : "?";
  }

  /** Values pushed a second, one a command, many commands in flight. */
  double pushes(int count) throws Exception {
    double rate = rate(count, 1, IN_FLIGHT * BATCH, () -> redis.lpush("{raw}:list", VALUE));
    redis.unlink("{raw}:list").get();
    return rate;
  }

  /** Values added a second by a script that takes {@value #BATCH} at a time. */
  double adds(int count) throws Exception {
    String add = redis.scriptLoad(ADD).get();
    String[] values = new String[BATCH];
    java.util.Arrays.fill(values, VALUE);
    return rate(
        count, BATCH, IN_FLIGHT, () -> redis.evalsha(add, ScriptOutputType.INTEGER, KEYS, values));
  }

  /** Values leased a second by a script that takes {@value #BATCH} of those added at a time. */
  double leases(int count) throws Exception {
    String lease = redis.scriptLoad(LEASE).get();
    double rate =
        rate(
            count,
            BATCH,
            IN_FLIGHT,
            () -> redis.evalsha(lease, ScriptOutputType.MULTI, KEYS, Integer.toString(BATCH)));
    redis.unlink(KEYS).get();
    return rate;
  }

  /** How long a write takes if nothing else is done meanwhile. */
  Latencies writes(int count) throws Exception {
    Latencies latencies = new Latencies();
    for (int i = 0; i < count; i++) {
      long start = System.nanoTime();
      redis.set("{raw}:value", VALUE).get();
      latencies.add(System.nanoTime() - start);
    }
    redis.unlink("{raw}:value").get();
    return latencies;
  }

  private interface Call {
    RedisFuture<?> start();
  }

  private static double rate(int count, int batch, int inFlight, Call call) throws Exception {
    Deque<RedisFuture<?>> calls = new ArrayDeque<>();
    long start = System.nanoTime();
    for (int done = 0; done < count; done += batch) {
      if (calls.size() == inFlight) {
        calls.remove().get();
      }
      calls.add(call.start());
    }
    for (RedisFuture<?> last : calls) {
      last.get();
    }
    return count * 1e9 / (System.nanoTime() - start);
  }

  @Override
  public void close() {
    connection.close();
    binary.close();
    client.shutdown();
  }
}
