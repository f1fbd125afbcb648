package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.queue.redis.BucketScripts;
import io.bitloom.coordinator.queue.redis.JobIndex;
import io.bitloom.coordinator.queue.redis.JobScripts;
import io.bitloom.coordinator.queue.redis.Keys;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.TestRedis;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A queue in a namespace of its own, and short words for what tests do with it. */
abstract class QueueFixture {

  static final Bucket SQUARE = new Bucket("demo", "1.000_0.06M");
  static final Bucket TALL = new Bucket("demo", "1.500_0.06M");
  static final Duration LEASE = Duration.ofSeconds(30);

  final QueueSettings settings = settings();
  RedisConnection redis;
  JobQueue queue;
  Keys keys;
  JobScripts jobs;
  BucketScripts buckets;

  @BeforeEach
  void openQueue() {
    redis = RedisConnection.connect(uri(), settings.namespace(), replicas());
    queue = new RunningQueue(redis, settings);
    keys = new Keys(settings.namespace());
    jobs = new JobScripts(redis, keys);
    buckets = new BucketScripts(redis, keys, settings);
    awaitFirstSweep();
  }

  /**
   * A queue sweeps once when it hears its channel. It asks for the jobs there are as soon as it is
   * told that it may, which comes before the answer that says so here: there are none of the
   * test's.
   */
  private void awaitFirstSweep() {
    try {
      awaitTrue("a first sweep", () -> await(redis.call(r -> r.exists(keys.sweeper()))) == 1);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void closeQueue() {
    queue.close();
    redis.close();
  }

  String uri() {
    return TestRedis.uri();
  }

  /** How many replicas must have what is acknowledged. */
  int replicas() {
    return 0;
  }

  /** Long waits, so that nothing happens by itself unless a test wants it. */
  QueueSettings settings() {
    return new QueueSettings(
        "test-" + UUID.randomUUID(),
        4,
        2,
        Duration.ofMillis(1),
        Duration.ofMillis(4),
        Duration.ofMinutes(1),
        Duration.ofSeconds(30),
        Duration.ZERO,
        Duration.ofHours(1));
  }

  static QueueSettings withSweep(QueueSettings s, Duration interval) {
    return new QueueSettings(
        s.namespace(),
        s.maxAttempts(),
        s.isolateAfterFailures(),
        s.backoff(),
        s.maxBackoff(),
        s.ageing(),
        s.leaseDuration(),
        s.reapGrace(),
        interval,
        s.shards(),
        s.shardRun(),
        s.outputs());
  }

  static <T> T await(CompletionStage<T> stage) {
    try {
      return stage
          .toCompletableFuture()
          .get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof BitloomException known) {
        throw known;
      }
      throw new AssertionError(e.getCause());
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  static void awaitTrue(String what, BooleanSupplier condition) throws InterruptedException {
    TestCoordinator.awaitTrue(what, condition);
  }

  String newJob(String tenant, double weight, int priority) {
    return await(queue.jobs().create(new NewJob(tenant, "", weight, priority, bytes("spec")))).id();
  }

  String newJob() {
    return newJob("tenant", 1, 5);
  }

  /** Appends prompts of one image each, with payloads {@code <offset>}. */
  void append(String jobId, long offset, int count, Bucket... among) {
    List<NewPrompt> prompts = new ArrayList<>();
    for (long i = offset; i < offset + count; i++) {
      prompts.add(new NewPrompt(among[(int) (i % among.length)], 1, payload(i)));
    }
    await(queue.prompts().append(jobId, offset, prompts));
  }

  String sealedJob(int count, Bucket... among) {
    String jobId = newJob();
    append(jobId, 0, count, among);
    await(queue.jobs().seal(jobId, OptionalLong.of(count)));
    return jobId;
  }

  /** All that prompts of a bucket may be in. */
  List<Bucket> shards(Bucket bucket) {
    return IntStream.range(0, settings.shards())
        .mapToObj(number -> bucket.in(new Bucket.Shard(number, settings.shards())))
        .toList();
  }

  /** Leases from a bucket, from whichever of its shards has something. */
  Optional<LeasedBatch> tryLease(Bucket bucket, int maxImages) {
    for (Bucket shard : shards(bucket)) {
      Optional<LeasedBatch> batch = await(queue.leases().lease(shard, "worker", maxImages, LEASE));
      if (batch.isPresent()) {
        return batch;
      }
    }
    return Optional.empty();
  }

  LeasedBatch lease(Bucket bucket, int maxImages) {
    return tryLease(bucket, maxImages).orElseThrow();
  }

  List<TaskVerdict> succeed(LeasedBatch batch) {
    List<TaskVerdict> verdicts = await(queue.leases().commit(batch.lease(), successes(batch)));
    if (verdicts.stream().allMatch(TaskVerdict.COMMITTED::equals)) {
      queue.leases().finished(batch.lease());
    }
    return verdicts;
  }

  static List<TaskOutcome> successes(LeasedBatch batch) {
    return batch.tasks().stream()
        .map(task -> new TaskOutcome(task.task(), true, bytes("image of " + task.task().offset())))
        .toList();
  }

  List<TaskVerdict> fail(LeasedBatch batch) {
    return await(
        queue
            .leases()
            .fail(
                batch.lease(),
                batch.tasks().stream()
                    .map(task -> new TaskFailure(task.task(), bytes("broken")))
                    .toList()));
  }

  /** Leases and commits until nothing is left, waiting for retries. */
  void drain(String jobId, Bucket... among) throws InterruptedException {
    awaitTrue(
        "job ended",
        () -> {
          for (Bucket bucket : among) {
            tryLease(bucket, 64).ifPresent(this::succeed);
          }
          return job(jobId).terminal();
        });
  }

  /** What a tenant uses, as the ledger's sums say. */
  long used(String tenant, String field) {
    byte[] sum = await(redis.call(r -> r.hget(keys.useOf(tenant), field)));
    return sum == null ? 0 : Long.parseLong(new String(sum, StandardCharsets.UTF_8));
  }

  /** Waits until the sums of a tenant are those of what its jobs say themselves. */
  void agrees(String tenant) throws InterruptedException {
    awaitTrue(
        "the ledger says of " + tenant + " what its jobs say",
        () -> {
          JobUse all = JobUse.NONE;
          for (byte[] jobId : await(redis.call(r -> r.zrange(keys.jobsOf(tenant), 0, -1)))) {
            JobScripts.LooseEnds ends =
                await(jobs.looseEnds(new String(jobId, StandardCharsets.UTF_8)));
            all = all.plus(ends.use());
            for (String part : ends.parts().others(new String(jobId, StandardCharsets.UTF_8))) {
              all = all.plus(await(jobs.looseEnds(part)).use());
            }
          }
          return new TenantUse(all.prompts() - all.decided(), all.bytes(), all.results())
              .equals(
                  new TenantUse(
                      used(tenant, "prompts"), used(tenant, "bytes"), used(tenant, "results")));
        });
  }

  JobIndex index() {
    return new JobIndex(redis, keys);
  }

  JobRecord job(String jobId) {
    return await(queue.jobs().get(jobId));
  }

  List<ResultRecord> results(String jobId) {
    List<ResultRecord> all = new ArrayList<>();
    List<ResultRecord> page;
    do {
      page =
          await(
              queue.results().read(jobId, all.isEmpty() ? Cursor.START : last(all).cursor(), 100));
      all.addAll(page);
    } while (!page.isEmpty());
    return all;
  }

  /** Where results are in their job. */
  static List<Long> places(List<ResultRecord> results) {
    return results.stream()
        .map(record -> record.cursor().passed().stream().mapToLong(Long::longValue).sum())
        .toList();
  }

  BucketBacklog backlog(Bucket bucket) {
    return await(queue.backlog().buckets()).stream()
        .filter(b -> b.bucket().equals(bucket))
        .findAny()
        .orElseThrow();
  }

  BucketRank rank(Bucket bucket) {
    return await(queue.backlog().ranks(List.of(bucket))).get(0);
  }

  static List<Long> offsets(LeasedBatch batch) {
    return batch.tasks().stream().map(task -> task.task().offset()).toList();
  }

  static <T> T last(List<T> list) {
    return list.get(list.size() - 1);
  }

  static ByteString payload(long offset) {
    return bytes("prompt " + offset);
  }

  static ByteString bytes(String text) {
    return ByteString.copyFromUtf8(text);
  }
}
