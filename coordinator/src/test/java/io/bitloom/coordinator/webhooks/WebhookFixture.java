package io.bitloom.coordinator.webhooks;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.RedisConfig;
import io.bitloom.coordinator.config.WebhookConfig;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.WebhookStatus;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Coordinators that send webhooks, and short words for who receives them. */
abstract class WebhookFixture {

  static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  static final Set<String> EVENTS = Set.of("job.created", "job.sealed", "job.started", "job.ended");

  /** Time goes faster here: what takes minutes otherwise takes some ms. */
  static final List<Duration> SOON = Collections.nCopies(1000, Duration.ofMillis(20));

  @TempDir Path directory;
  final String namespace = "test-" + UUID.randomUUID();
  Path secretFile;

  @BeforeEach
  void writeSecret() throws IOException {
    secretFile = Files.writeString(directory.resolve("secret"), SECRET + "\n");
  }

  WebhookConfig config(List<Duration> retries, Duration timeout) {
    return new WebhookConfig(
        Optional.of(secretFile), List.of("127.0.0.1"), timeout, retries, Optional.empty());
  }

  TestCoordinator start(WebhookConfig webhooks, int shards) throws Exception {
    TestCoordinator coordinator = startLater(webhooks, shards);
    coordinator.announce("fake", "0.06M");
    return coordinator;
  }

  /** One that finds the model of an earlier one. */
  TestCoordinator startLater(WebhookConfig webhooks, int shards) throws IOException {
    return TestCoordinator.start(
        directory,
        new RedisConfig(TestRedis.uri(), namespace, Optional.empty(), 0, shards),
        AccessConfig.LOOPBACK,
        webhooks);
  }

  TestCoordinator start() throws Exception {
    return start(config(SOON, Duration.ofSeconds(15)), 1);
  }

  static Job create(TestCoordinator coordinator, String url) {
    return coordinator
        .batch()
        .createJob(
            CreateJobRequest.newBuilder().setJob(Job.newBuilder().setWebhookUrl(url)).build())
        .getJob();
  }

  static String submit(TestCoordinator coordinator, String url, int prompts) {
    String name = create(coordinator, url).getName();
    if (prompts > 0) {
      coordinator.append(name, 0, prompts(prompts));
    }
    coordinator.seal(name);
    return name;
  }

  static WebhookStatus status(TestCoordinator coordinator, String job) {
    return coordinator.job(job).getWebhook();
  }

  static void awaitTold(TestReceiver receiver, String job) throws InterruptedException {
    awaitTrue("the end is told", () -> receiver.told(job).contains("job.ended"));
  }

  /** All events, once each, as they came about: a job may be started before it is sealed. */
  static void assertToldInOrder(TestReceiver receiver, String job) {
    List<String> told = receiver.told(job);
    assertEquals(4, told.size(), told::toString);
    assertEquals(EVENTS, Set.copyOf(told));
    assertEquals("job.created", told.get(0));
    assertEquals("job.ended", told.get(3));
    List<Instant> times =
        receiver.told(event -> event.job().equals(job), TestReceiver.Received::time);
    assertEquals(times.stream().sorted().toList(), times);
  }

  /** Jobs of which somebody is still to be told. */
  long left() {
    RedisClient client = RedisClient.create(TestRedis.uri());
    try (StatefulRedisConnection<String, String> redis = client.connect()) {
      return redis.sync().zcard(namespace + ":{index}:hooks");
    } finally {
      client.shutdown();
    }
  }

  void awaitNothingLeft() throws InterruptedException {
    awaitTrue("nothing is left to be told", () -> left() == 0);
  }

  static int freePort() throws IOException {
    try (TestReceiver gone = TestReceiver.start(0, SECRET)) {
      return gone.port();
    }
  }
}
