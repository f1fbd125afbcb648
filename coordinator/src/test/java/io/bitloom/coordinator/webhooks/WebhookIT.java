package io.bitloom.coordinator.webhooks;

import static io.bitloom.coordinator.TestCoordinator.awaitTrue;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.CoordinatorProcess;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.coordinator.FakeWorker;
import io.bitloom.coordinator.TestCoordinator;
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
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Every event reaches its receiver, whatever happens: real coordinators, a real receiver. */
class WebhookIT extends WebhookFixture {

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
    int[] answers = {500, 0, 302, 429, 200}; // and the first one hangs
    try (TestReceiver receiver =
            TestReceiver.start(0, SECRET)
                .behaving(
                    event -> {
                      int number = count.getAndIncrement();
                      return number == 0 ? -1 : answers[number % answers.length];
                    });
        TestCoordinator coordinator = start(config(SOON, Duration.ofSeconds(2)), 1)) {
      coordinator.worker("w", FakeBehaviour.DEFAULT);
      String job = submit(coordinator, receiver.url("/"), 3);
      awaitTold(receiver, job);
      assertToldInOrder(receiver, job);
      assertEquals(List.of(), receiver.wrong());
      awaitNothingLeft();
      assertTrue(status(coordinator, job).getFailedAttempts() > 4);
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
          280,
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
          () -> receiver.told(e -> e.type().equals("job.ended"), e -> e.job()).size() >= 240);
      for (String job : jobs) {
        assertToldInOrder(receiver, job);
      }
      assertEquals(960, receiver.all().stream().map(TestReceiver.Received::id).distinct().count());
      assertEquals(960, receiver.all().size());
      assertEquals(List.of(), receiver.wrong());
      // The 40 jobs of the other one are at their first attempt still, some at a time.
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
}
