package io.bitloom.coordinator.webhooks;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static io.bitloom.coordinator.TestCoordinator.prompts;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.coordinator.CoordinatorProcess;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.SelfSigned;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.coordinator.config.AccessConfig;
import io.bitloom.coordinator.config.RedisConfig;
import io.bitloom.coordinator.config.WebhookConfig;
import io.bitloom.coordinator.redis.TestRedis;
import io.bitloom.v1.BatchServiceGrpc;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.DeleteJobRequest;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.UpdateJobRequest;
import io.bitloom.v1.WebhookStatus;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Webhooks from real coordinators to a real receiver, over real sockets. */
class WebhookIT {

  private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  private static final Set<String> EVENTS =
      Set.of("job.created", "job.sealed", "job.started", "job.ended");

  /** Time goes faster here: what takes minutes otherwise takes some ms. */
  private static final List<Duration> SOON = Collections.nCopies(1000, Duration.ofMillis(20));

  @TempDir private Path directory;
  private final String namespace = "test-" + UUID.randomUUID();
  private Path secretFile;

  @BeforeEach
  void writeSecret() throws IOException {
    secretFile = Files.writeString(directory.resolve("secret"), SECRET + "\n");
  }

  private WebhookConfig config(List<Duration> retries, Duration timeout) {
    return new WebhookConfig(
        Optional.of(secretFile), List.of("127.0.0.1"), timeout, retries, Optional.empty());
  }

  private TestCoordinator start(WebhookConfig webhooks, int shards) throws Exception {
    TestCoordinator coordinator = startLater(webhooks, shards);
    coordinator.announce("fake", "0.06M");
    return coordinator;
  }

  /** One that finds the model of an earlier one. */
  private TestCoordinator startLater(WebhookConfig webhooks, int shards) throws IOException {
    return TestCoordinator.start(
        directory,
        new RedisConfig(TestRedis.uri(), namespace, Optional.empty(), 0, shards),
        AccessConfig.LOOPBACK,
        webhooks);
  }

  private TestCoordinator start() throws Exception {
    return start(config(SOON, Duration.ofSeconds(15)), 1);
  }

  private static Job create(TestCoordinator coordinator, String url) {
    return coordinator
        .batch()
        .createJob(
            CreateJobRequest.newBuilder().setJob(Job.newBuilder().setWebhookUrl(url)).build())
        .getJob();
  }

  private static String submit(TestCoordinator coordinator, String url, int prompts) {
    String name = create(coordinator, url).getName();
    if (prompts > 0) {
      coordinator.append(name, 0, prompts(prompts));
    }
    coordinator.seal(name);
    return name;
  }

  private static WebhookStatus status(TestCoordinator coordinator, String job) {
    return coordinator.job(job).getWebhook();
  }

  private static void awaitTold(TestReceiver receiver, String job) throws InterruptedException {
    awaitTrue("the end is told", () -> receiver.told(job).contains("job.ended"));
  }

  /** All events, once each, as they came about: a job may be started before it is sealed. */
  private static void assertToldInOrder(TestReceiver receiver, String job) {
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
  private long left() {
    RedisClient client = RedisClient.create(TestRedis.uri());
    try (StatefulRedisConnection<String, String> redis = client.connect()) {
      return redis.sync().zcard(namespace + ":{index}:hooks");
    } finally {
      client.shutdown();
    }
  }

  private void awaitNothingLeft() throws InterruptedException {
    awaitTrue("nothing is left to be told", () -> left() == 0);
  }

  private static int freePort() throws IOException {
    try (TestReceiver gone = TestReceiver.start(0, SECRET)) {
      return gone.port();
    }
  }

  @Test
  void aReceiverThatIsDownFromTheSubmissionUntilLongAfterTheEndIsToldOfAllInOrder()
      throws Exception {
    int port = freePort();
    try (TestCoordinator coordinator = start()) {
      coordinator.worker("w", FakeBehaviour.DEFAULT);
      String job = submit(coordinator, "http://127.0.0.1:" + port + "/hook?a=b", 3);
      coordinator.results(job);
      awaitTrue("many attempts", () -> status(coordinator, job).getFailedAttempts() >= 10);
      WebhookStatus down = status(coordinator, job);
      assertEquals(4, down.getPending());
      assertEquals(0, down.getDelivered());
      assertTrue(down.getLastError().startsWith("nobody is there"), down.getLastError());
      try (TestReceiver receiver = TestReceiver.start(port, SECRET)) {
        awaitTold(receiver, job);
        assertToldInOrder(receiver, job);
        assertEquals(List.of(), receiver.wrong());
        TestReceiver.Received last = receiver.all().get(3);
        assertEquals("/hook?a=b", last.url());
        assertEquals("SUCCEEDED", last.data().get("state").getAsString());
        awaitNothingLeft();
        assertEquals(4, receiver.all().size());
        WebhookStatus after = status(coordinator, job);
        assertEquals(4, after.getDelivered());
        assertEquals(0, after.getPending());
        assertEquals("", after.getLastError());
        assertFalse(after.hasNextAttemptTime());
      }
    }
  }

  @Test
  void aReceiverThatIsSlowOrFailsOrBreaksOffGetsEveryEventInTheEnd() throws Exception {
    AtomicInteger count = new AtomicInteger();
    int[] answers = {-1, 500, 0, 302, 429, 200};
    try (TestReceiver receiver =
            TestReceiver.start(0, SECRET)
                .behaving(event -> answers[count.getAndIncrement() % answers.length]);
        TestCoordinator coordinator = start(config(SOON, Duration.ofMillis(500)), 1)) {
      coordinator.worker("w", FakeBehaviour.DEFAULT);
      String job = submit(coordinator, receiver.url("/"), 3);
      awaitTold(receiver, job);
      assertToldInOrder(receiver, job);
      assertEquals(List.of(), receiver.wrong());
      awaitNothingLeft();
      assertEquals(4 * answers.length, receiver.all().size());
      assertEquals(20, status(coordinator, job).getFailedAttempts());
      // All attempts of an event have one id, and those of one event come before those of the next.
      List<String> ids = receiver.all().stream().map(TestReceiver.Received::id).toList();
      List<String> distinct = ids.stream().distinct().toList();
      assertEquals(4, distinct.size());
      assertEquals(ids, ids.stream().sorted(Comparator.comparing(distinct::indexOf)).toList());
    }
  }

  @Test
  void whatADyingCoordinatorHadSentComesAgainWithTheSameId() throws Exception {
    List<String> options = new ArrayList<>(CoordinatorProcess.usualOptions(directory));
    options.addAll(
        List.of(
            "--redis",
            TestRedis.uri(),
            "--redis-namespace",
            namespace,
            "--webhook-secret-file",
            secretFile.toString(),
            "--webhook-allow",
            "127.0.0.0/8",
            "--webhook-timeout",
            "1s",
            "--webhook-retries",
            "20ms,20ms,20ms,20ms"));
    try (TestReceiver receiver = TestReceiver.start(0, SECRET);
        CoordinatorProcess dying = CoordinatorProcess.launch(directory, List.of(), options)) {
      dying.ports();
      receiver.behaving(
          event -> {
            if (dying.process().isAlive()) {
              dying.process().destroyForcibly();
              return -1;
            }
            return 200;
          });
      try (TestCoordinator other = start(config(SOON, Duration.ofSeconds(1)), 1)) {
        String job = submitTo(dying, receiver.url("/"));
        dying.process().waitFor();
        // What makes another look: of itself it would within some 45 s, in its turn to sweep.
        try (TestCoordinator third = other.second()) {
          third.cancel(job);
          awaitTold(receiver, job);
          awaitNothingLeft();
        }
        assertEquals(List.of("job.created", "job.ended"), receiver.told(job));
      }
      assertEquals(List.of(), receiver.wrong());
      List<TestReceiver.Received> all = receiver.all();
      assertEquals(3, all.size());
      assertEquals(all.get(0).id(), all.get(1).id());
    }
  }

  private static String submitTo(CoordinatorProcess process, String url) throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", process.ports().get("grpc").getAsInt())
            .usePlaintext()
            .build();
    try {
      return BatchServiceGrpc.newBlockingStub(channel)
          .createJob(
              CreateJobRequest.newBuilder().setJob(Job.newBuilder().setWebhookUrl(url)).build())
          .getJob()
          .getName();
    } finally {
      channel.shutdownNow();
    }
  }

  @Test
  void twoCoordinatorsTellHundredsOfJobsOnceAndInOrder() throws Exception {
    try (TestReceiver receiver = TestReceiver.start(0, SECRET);
        TestReceiver silent = TestReceiver.start(0, SECRET).behaving(event -> -1);
        TestCoordinator first = start(config(SOON, Duration.ofMinutes(1)), 1);
        TestCoordinator second = first.second();
        FakeWorker one = first.worker("one", FakeBehaviour.DEFAULT);
        FakeWorker two = second.worker("two", FakeBehaviour.DEFAULT)) {
      Set<String> jobs = ConcurrentHashMap.newKeySet();
      inParallel(
          350,
          k -> {
            TestCoordinator coordinator = k % 2 == 0 ? first : second;
            if (k % 7 == 0) {
              submit(coordinator, silent.url("/"), 1);
            } else {
              jobs.add(submit(coordinator, receiver.url("/"), 1));
            }
          });
      awaitTrue(
          "the end of all is told",
          () -> receiver.told(e -> e.type().equals("job.ended"), e -> e.job()).size() >= 300);
      for (String job : jobs) {
        assertToldInOrder(receiver, job);
      }
      assertEquals(1200, receiver.all().stream().map(TestReceiver.Received::id).distinct().count());
      assertEquals(1200, receiver.all().size());
      assertEquals(List.of(), receiver.wrong());
      // The 50 jobs of the other one are at their first attempt still, some at a time.
      assertTrue(silent.all().size() <= 16, () -> silent.all().size() + " attempts");
      assertEquals(Set.of("job.created"), types(silent));
    }
  }

  private static void inParallel(int count, IntConsumer task) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(16);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int k = 0; k < count; k++) {
        int number = k;
        all.add(threads.submit(() -> task.accept(number)));
      }
      for (Future<?> one : all) {
        one.get();
      }
    } finally {
      threads.shutdown();
    }
  }

  private static Set<String> types(TestReceiver receiver) {
    return receiver.all().stream().map(TestReceiver.Received::type).collect(Collectors.toSet());
  }

  @Test
  void ofAJobThatIsDeletedNothingMoreIsTold() throws Exception {
    try (TestReceiver receiver = TestReceiver.start(0, SECRET).behaving(event -> 500);
        TestCoordinator coordinator = start()) {
      Job job = create(coordinator, receiver.url("/"));
      awaitTrue("some attempts", () -> receiver.all().size() >= 3);
      coordinator.cancel(job.getName());
      coordinator.batch().deleteJob(DeleteJobRequest.newBuilder().setName(job.getName()).build());
      awaitNothingLeft();
      assertEquals(Set.of("job.created"), types(receiver));
    }
  }

  @Test
  void aReceiverThatIsGoneIsLeftAloneUntilTheJobIsGivenOneAgain() throws Exception {
    try (TestReceiver receiver = TestReceiver.start(0, SECRET).behaving(event -> 410);
        TestReceiver next = TestReceiver.start(0, SECRET);
        TestCoordinator coordinator = start()) {
      coordinator.worker("w", FakeBehaviour.DEFAULT);
      String job = submit(coordinator, receiver.url("/"), 1);
      coordinator.results(job);
      awaitNothingLeft();
      assertEquals(1, receiver.all().size());
      WebhookStatus status = status(coordinator, job);
      assertEquals(4, status.getPending());
      assertEquals(4, status.getGivenUp());
      assertEquals("HTTP 410: the receiver wants no more", status.getLastError());
      coordinator
          .batch()
          .updateJob(
              UpdateJobRequest.newBuilder()
                  .setJob(Job.newBuilder().setName(job).setWebhookUrl(next.url("/")))
                  .build());
      awaitTold(next, job);
      assertToldInOrder(next, job);
      assertEquals(List.of(), next.wrong());
      assertEquals(1, receiver.all().size());
      assertEquals(next.url("/"), coordinator.job(job).getWebhookUrl());
    }
  }

  @Test
  void eventsThatAreGivenUpGoBeforeWhatComesAboutLater() throws Exception {
    WebhookConfig thrice =
        config(Collections.nCopies(2, Duration.ofMillis(5)), Duration.ofSeconds(9));
    try (TestReceiver receiver = TestReceiver.start(0, SECRET).behaving(event -> 503);
        TestCoordinator coordinator = start(thrice, 1)) {
      Job job = create(coordinator, receiver.url("/"));
      awaitTrue("it is given up", () -> status(coordinator, job.getName()).getGivenUp() == 1);
      assertEquals(3, receiver.all().size());
      receiver.behaving(event -> 200);
      coordinator.cancel(job.getName());
      awaitTold(receiver, job.getName());
      assertEquals(List.of("job.created", "job.ended"), receiver.told(job.getName()));
      String state = receiver.all().get(4).data().get("state").getAsString();
      assertEquals("CANCELLED", state);
    }
  }

  @Test
  void aJobMayGetItsReceiverWhenItHasEnded() throws Exception {
    try (TestReceiver receiver = TestReceiver.start(0, SECRET);
        TestCoordinator coordinator = start()) {
      coordinator.worker("w", FakeBehaviour.DEFAULT);
      String job = submit(coordinator, "", 1);
      coordinator.results(job);
      assertFalse(coordinator.job(job).hasWebhook());
      UpdateJobRequest update =
          UpdateJobRequest.newBuilder()
              .setJob(Job.newBuilder().setName(job).setWebhookUrl(receiver.url("/")))
              .build();
      coordinator.batch().updateJob(update);
      awaitTold(receiver, job);
      assertToldInOrder(receiver, job);
      coordinator.batch().updateJob(update);
      awaitNothingLeft();
      assertEquals(4, receiver.all().size());
    }
  }

  @Test
  void whileSecretsChangeBothSign() throws Exception {
    String next = "whsec_" + "bmV4dCBzZWNyZXQsIGFzIGxvbmcgYXMgaXQgbXVzdA==";
    Files.writeString(secretFile, SECRET + "\n" + next + "\n");
    try (TestReceiver receiver = TestReceiver.start(0, SECRET);
        TestCoordinator coordinator = start()) {
      receiver.secrets(SECRET, next);
      String job = submit(coordinator, receiver.url("/"), 0);
      awaitTold(receiver, job);
      assertEquals(List.of(), receiver.wrong());
      Files.writeString(secretFile, next + "\n");
      receiver.secrets(next);
      awaitTrue(
          "the file was read again",
          () -> {
            int before = receiver.wrong().size();
            try {
              awaitTold(receiver, submit(coordinator, receiver.url("/"), 0));
            } catch (InterruptedException e) {
              throw new AssertionError(e);
            }
            return receiver.wrong().size() == before;
          });
    }
  }

  @Test
  void aJobThatIsSpreadIsToldOfOnce() throws Exception {
    try (TestReceiver receiver = TestReceiver.start(0, SECRET);
        TestCoordinator coordinator = start(config(SOON, Duration.ofSeconds(15)), 3)) {
      coordinator.worker("w", FakeBehaviour.DEFAULT.withBatch(256, Duration.ofMillis(1)));
      String job = submit(coordinator, receiver.url("/"), 2500);
      awaitTold(receiver, job);
      assertToldInOrder(receiver, job);
      assertEquals(JobState.JOB_STATE_SUCCEEDED, coordinator.job(job).getState());
      awaitNothingLeft();
      assertEquals(4, receiver.all().size());
    }
  }

  @Test
  void aCertificateIsCheckedForTheNameInTheUrl() throws Exception {
    SelfSigned pem = SelfSigned.create(directory, "receiver"); // for localhost and 127.0.0.1
    WebhookConfig secured =
        new WebhookConfig(
            Optional.of(secretFile),
            List.of("127.0.0.0/8", "localhost"),
            Duration.ofSeconds(15),
            SOON,
            Optional.of(pem.certificate()));
    try (TestReceiver receiver =
            TestReceiver.secured(tls(directory.resolve("receiver.p12")), SECRET);
        TestCoordinator coordinator = start(secured, 1)) {
      for (String host : List.of("localhost", "127.0.0.1")) {
        String job = submit(coordinator, "https://" + host + ":" + receiver.port() + "/", 0);
        awaitTold(receiver, job);
      }
      int before = receiver.all().size();
      String job = submit(coordinator, "https://127.0.0.2:" + receiver.port() + "/", 0);
      awaitTrue("an attempt", () -> status(coordinator, job).getFailedAttempts() > 0);
      String error = status(coordinator, job).getLastError();
      assertTrue(error.startsWith("TLS: "), error);
      assertEquals(before, receiver.all().size());
      assertEquals(List.of(), receiver.wrong());
    }
  }

  private static SSLContext tls(Path store) throws Exception {
    KeyStore keys = KeyStore.getInstance(store.toFile(), "secret".toCharArray());
    KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
    factory.init(keys, "secret".toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(factory.getKeyManagers(), null, null);
    return tls;
  }

  @Test
  void aHostWhoseNameHasAnAddressThatIsNotPublicIsNotCalled() throws Exception {
    WebhookConfig none =
        new WebhookConfig(
            Optional.of(secretFile),
            List.of("localhost"),
            Duration.ofSeconds(15),
            SOON,
            Optional.empty());
    WebhookConfig now = config(SOON, Duration.ofSeconds(15));
    try (TestReceiver receiver = TestReceiver.start(0, SECRET)) {
      String job;
      try (TestCoordinator coordinator = start(now, 1)) {
        receiver.behaving(event -> 500);
        job = submit(coordinator, receiver.url("/"), 0);
        awaitTrue("an attempt", () -> receiver.all().size() > 0);
      }
      int before = receiver.all().size();
      receiver.behaving(event -> 200);
      // What is allowed holds when an event is sent, not only when its job is created.
      try (TestCoordinator strict = startLater(none, 1)) {
        long failed = status(strict, job).getFailedAttempts();
        awaitTrue("attempts", () -> status(strict, job).getFailedAttempts() > failed + 2);
        assertEquals(
            "the host is not public, and not allowed (--webhook-allow)",
            status(strict, job).getLastError());
        assertEquals(before, receiver.all().size());
        String local = submit(strict, "http://localhost:" + receiver.port() + "/", 0);
        awaitTold(receiver, local);
      }
    }
  }

  @Test
  void whatCannotBeTheReceiverOfAJobIsRefused() throws Exception {
    try (TestCoordinator coordinator = start()) {
      for (String url :
          List.of("ftp://example.com/", "http://10.0.0.1/", "http://169.254.169.254/latest")) {
        BitloomException e =
            assertThrows(BitloomException.class, () -> refused(() -> create(coordinator, url)));
        assertEquals("job.webhook_url", e.violations().get(0).field());
        assertEquals(url, e.violations().get(0).value());
      }
    }
    try (TestCoordinator without = startLater(WebhookConfig.DEFAULTS, 1)) {
      BitloomException e =
          assertThrows(
              BitloomException.class, () -> refused(() -> create(without, "https://example.com/")));
      assertTrue(e.getMessage().contains("no secret"), e.getMessage());
    }
  }

  @Test
  void tenantsHaveSecretsAndAReceiverOfTheirOwn() throws Exception {
    String other = "whsec_" + "b3RoZXIgc2VjcmV0LCBhcyBsb25nIGFzIGl0IG11c3Q=";
    Files.writeString(directory.resolve("b.key"), other);
    try (TestReceiver ofA = TestReceiver.start(0, SECRET);
        TestReceiver ofB = TestReceiver.start(0, other)) {
      Path tenants =
          Files.writeString(
              directory.resolve("tenants.json"),
              String.format(
                  Locale.ROOT,
                  """
                  {"tenants": [
                    {"name": "a", "webhook_url": "%s", "webhook_secrets": ["%s"],
                     "tokens": [{"sha256": "%s", "roles": ["client", "worker"]}]},
                    {"name": "b", "webhook_secrets": ["b.key"],
                     "tokens": [{"sha256": "%s", "roles": ["client"]}]},
                    {"name": "c", "tokens": [{"sha256": "%s", "roles": ["client"]}]}]}
                  """,
                  ofA.url("/a"),
                  SECRET,
                  sha256("a"),
                  sha256("b"),
                  sha256("c")));
      try (TestCoordinator coordinator =
              TestCoordinator.start(
                  directory,
                  new RedisConfig(TestRedis.uri(), namespace, Optional.empty(), 0, 1),
                  new AccessConfig(Optional.of(tenants), false, Optional.empty()),
                  new WebhookConfig(
                      Optional.empty(),
                      List.of("127.0.0.1"),
                      Duration.ofSeconds(15),
                      SOON,
                      Optional.empty()));
          FakeWorker worker =
              FakeWorker.start(
                  List.of(coordinator.target()),
                  Optional.of("a"),
                  "w",
                  FakeBehaviour.DEFAULT,
                  (lease, tasks, waitNanos) -> {})) {
        awaitTrue("the worker is welcome", () -> worker.welcomes() > 0);
        String first = submit(coordinator.withToken("a"), "", 0);
        String second = submit(coordinator.withToken("b"), ofB.url("/b"), 0);
        String silent = submit(coordinator.withToken("b"), "", 0);
        awaitTold(ofA, first);
        awaitTold(ofB, second);
        assertFalse(coordinator.withToken("b").job(silent).hasWebhook());
        assertEquals(List.of(), ofA.wrong());
        assertEquals(List.of(), ofB.wrong());
        assertEquals(ofA.url("/a"), coordinator.withToken("a").job(first).getWebhookUrl());
        assertThrows(
            BitloomException.class,
            () -> refused(() -> create(coordinator.withToken("c"), ofA.url("/"))));
      }
    }
  }

  private static void refused(Runnable call) {
    try {
      call.run();
    } catch (StatusRuntimeException e) {
      throw GrpcErrors.fromStatus(e);
    }
  }

  private static String sha256(String text) throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
    return HexFormat.of().formatHex(digest);
  }
}
