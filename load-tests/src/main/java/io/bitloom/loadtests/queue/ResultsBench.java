package io.bitloom.loadtests.queue;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.EmbeddedRedis;
import io.bitloom.coordinator.redis.RedisConnection;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What reading all results of a large job costs for each prompt, and what those of a small one. The
 * small one is read again and again between parts of the large one, since figures of a machine
 * drift. The results are those of cancelled prompts, which are made quickly; the queue alone is
 * measured, with its own Redis.
 */
final class ResultsBench {

  private static final int SMALL = 100_000;
  private static final int PARTS = 20;
  private static final int APPENDED_AT_ONCE = 500;
  private static final int APPENDS_UNDER_WAY = 16;
  private static final int[] READ_AT_ONCE = {32, 256};
  private static final Bucket BUCKET = new Bucket("fake", "1.000_0.06M");

  private final int many;
  private final PrintWriter out;

  /**
   * @param many prompts of the large job
   */
  ResultsBench(int many, PrintWriter out) {
    this.many = many;
    this.out = out;
  }

  /** What reading a part cost. */
  private record Cost(double wallMicros, double redisMicros) {}

  void measure(Path folder) throws Exception {
    try (EmbeddedRedis server = EmbeddedRedis.start(folder);
        RedisUnderTest redis = new RedisUnderTest(server.uri());
        RedisConnection connection = RedisConnection.connect(server.uri(), "bitloom");
        JobQueue queue = new RunningQueue(connection, QueueSettings.DEFAULTS)) {
      redis.withoutLog();
      long start = System.nanoTime();
      String small = cancelledJob(queue, SMALL);
      String large = cancelledJob(queue, many);
      out.printf(
          Locale.ROOT,
          "%,d prompts appended and cancelled in %.0f s; Redis has %,d MB%n",
          SMALL + many,
          (System.nanoTime() - start) / 1e9,
          redis.memory() >> 20);
      out.println(
          "| Read at once | Prompts | µs a prompt | of these in Redis | to those of 100,000 |");
      out.println("|---:|---:|---:|---:|---:|");
      for (int atOnce : READ_AT_ONCE) {
        compare(queue, redis, small, large, atOnce);
      }
    }
  }

  private static String cancelledJob(JobQueue queue, int prompts) {
    String jobId = join(queue.jobs().create(new NewJob("bench", "", 1, 5, ByteString.EMPTY))).id();
    Deque<CompletableFuture<Long>> appends = new ArrayDeque<>();
    for (int offset = 0; offset < prompts; offset += APPENDED_AT_ONCE) {
      List<NewPrompt> some = new ArrayList<>(APPENDED_AT_ONCE);
      for (int i = offset; i < Math.min(prompts, offset + APPENDED_AT_ONCE); i++) {
        some.add(new NewPrompt(BUCKET, 1, ByteString.copyFromUtf8("prompt " + i)));
      }
      // The first one loads the scripts, and would be overtaken.
      if (appends.size() == (offset == APPENDED_AT_ONCE ? 1 : APPENDS_UNDER_WAY)) {
        appends.remove().join();
      }
      appends.add(queue.prompts().append(jobId, offset, some).toCompletableFuture());
    }
    appends.forEach(CompletableFuture::join);
    join(queue.jobs().cancel(jobId));
    return jobId;
  }

  private void compare(JobQueue queue, RedisUnderTest redis, String small, String large, int atOnce)
      throws Exception {
    read(queue, redis, small, 0, SMALL, atOnce); // compiles what is measured
    List<Cost> ofSmall = new ArrayList<>();
    List<Cost> ofLarge = new ArrayList<>();
    for (int part = 0; part < PARTS; part++) {
      long from = (long) many * part / PARTS;
      long to = (long) many * (part + 1) / PARTS;
      ofLarge.add(read(queue, redis, large, from, to, atOnce));
      ofSmall.add(read(queue, redis, small, 0, SMALL, atOnce));
    }
    Cost few = median(ofSmall);
    Cost lots = median(ofLarge);
    row(atOnce, SMALL, few, few);
    row(atOnce, many, lots, few);
  }

  /** Reads results one after the other, as a client does that has seen none of them. */
  private static Cost read(
      JobQueue queue, RedisUnderTest redis, String jobId, long from, long to, int atOnce)
      throws Exception {
    double before = redis.cpuMicros();
    long start = System.nanoTime();
    long cursor = from;
    while (cursor < to) {
      int most = (int) Math.min(atOnce, to - cursor);
      List<ResultRecord> some = join(queue.results().read(jobId, Cursor.of(cursor), most));
      if (some.isEmpty() || !some.get(0).cursor().equals(Cursor.of(cursor + 1))) {
        throw new IllegalStateException("no result behind " + cursor);
      }
      cursor += some.size();
    }
    double wall = (System.nanoTime() - start) / 1e3;
    return new Cost(wall / (to - from), (redis.cpuMicros() - before) / (to - from));
  }

  private static Cost median(List<Cost> costs) {
    return new Cost(
        costs.stream().mapToDouble(Cost::wallMicros).sorted().skip(PARTS / 2).findFirst().orElse(0),
        costs.stream()
            .mapToDouble(Cost::redisMicros)
            .sorted()
            .skip(PARTS / 2)
            .findFirst()
            .orElse(0));
  }

  private void row(int atOnce, int prompts, Cost cost, Cost few) {
    out.printf(
        Locale.ROOT,
        "| %d | %,d | %.2f | %.2f | %.2f and %.2f |%n",
        atOnce,
        prompts,
        cost.wallMicros(),
        cost.redisMicros(),
        cost.wallMicros() / few.wallMicros(),
        cost.redisMicros() / few.redisMicros());
    out.flush();
  }

  private static <T> T join(CompletionStage<T> stage) {
    return stage.toCompletableFuture().join();
  }
}
