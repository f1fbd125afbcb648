package io.bitloom.coordinator.jobs;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.ModelRecords;
import io.bitloom.coordinator.queue.NewJob;
import io.bitloom.coordinator.queue.QueueSettings;
import io.bitloom.coordinator.queue.upkeep.RunningQueue;
import io.bitloom.coordinator.redis.RedisConnection;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.v1.Job;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class UnusedModelsIT {

  private static final Duration LONG = Duration.ofDays(1);

  private RedisConnection redis;
  private JobQueue queue;
  private ModelRecords models;

  @BeforeEach
  void open() {
    QueueSettings defaults = QueueSettings.DEFAULTS;
    String namespace = "test-" + UUID.randomUUID();
    redis = RedisConnection.connect(TestRedis.uri(), namespace);
    queue =
        new RunningQueue(
            redis,
            new QueueSettings(
                namespace,
                defaults.maxAttempts(),
                defaults.isolateAfterFailures(),
                defaults.backoff(),
                defaults.maxBackoff(),
                defaults.ageing(),
                defaults.leaseDuration(),
                defaults.reapGrace(),
                defaults.sweepInterval()));
    models = queue.models();
  }

  @AfterEach
  void close() {
    queue.close();
    redis.close();
  }

  private static <T> T await(CompletionStage<T> stage) {
    return stage
        .toCompletableFuture()
        .orTimeout(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS)
        .join();
  }

  private void announce(String name) {
    await(models.serve(name, "digest", "here", Duration.ofMillis(1)));
    await(models.put(name, ByteString.copyFromUtf8("description of " + name)));
    await(models.putSpeed(new Bucket(name, "1"), 2.0));
    await(models.putSpeed("a pool", new Bucket(name, "1"), 3.0));
  }

  private Set<String> known() {
    return await(models.all()).keySet();
  }

  private String jobOf(String model) {
    ByteString spec = JobMessages.spec(Job.newBuilder().setModel(model).build());
    return await(queue.jobs().create(new NewJob("tenant", "", 1, 5, spec))).id();
  }

  private void sweep(Duration kept) {
    await(new UnusedModels(models, queue.jobs(), kept).sweep());
  }

  @Test
  void aModelIsForgottenWhenNoWorkerHadItForLongAndNoOpenJobNamesIt() throws Exception {
    announce("gone");
    announce("gone too");
    announce("wanted");
    announce("served");
    String job = jobOf("wanted");
    await(models.serve("served", "digest", "here", Duration.ofHours(1)));
    sweep(LONG);
    assertEquals(Set.of("gone", "gone too", "wanted", "served"), known());

    awaitTrue(
        "those that nobody wants are forgotten",
        () -> {
          sweep(Duration.ofMillis(10));
          return known().equals(Set.of("wanted", "served"));
        });
    assertEquals(
        Set.of(new Bucket("wanted", "1"), new Bucket("served", "1")),
        await(models.speeds()).keySet());
    assertEquals(
        Map.of("a pool", Map.of(new Bucket("wanted", "1"), 3.0, new Bucket("served", "1"), 3.0)),
        await(models.poolSpeeds()));
    await(queue.jobs().cancel(job));
    sweep(Duration.ofMillis(10));
    assertEquals(Set.of("served"), known());
  }

  @Test
  void aModelOfWhichItIsNotKnownWhenWorkersHadItIsKeptFromNowOn() throws Exception {
    await(models.put("old", ByteString.copyFromUtf8("of an older coordinator")));
    sweep(Duration.ofMillis(200));
    assertEquals(Set.of("old"), known());
    awaitTrue(
        "forgotten",
        () -> {
          sweep(Duration.ofMillis(200));
          return known().isEmpty();
        });
  }

  @Test
  void aWorkerThatComesWhileItsModelIsForgottenMakesItKnown() {
    announce("m");
    await(models.serve("m", "digest", "here", Duration.ofHours(1)));
    sweep(Duration.ZERO);
    await(models.putIfAbsent("m", ByteString.copyFromUtf8("described again")));
    assertEquals(ByteString.copyFromUtf8("description of m"), await(models.all()).get("m"));
  }
}
