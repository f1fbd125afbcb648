package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.drawn;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.held;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.hello;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.image;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.secret.Secret;
import io.bitloom.coordinator.TestCoordinator;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Heartbeat;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Job;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.OutcomeBatch;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.Release;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.UploadRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Leases whose id and fencing token somebody has guessed; both count up. */
class ForgedLeasesIT extends DispatchFixture {

  /** Another process that calls itself as the worker, at a coordinator that does not know that. */
  @ParameterizedTest
  @MethodSource("guesses")
  void whoGuessesTheLeaseOfAnotherGetsNothingOfIt(String guess) throws Exception {
    Job job = coordinator.submit(prompts(2));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    Lease guessed = lease.toBuilder().setSecret(guess).build();
    try (TestCoordinator elsewhere = coordinator.second()) {
      ScriptedWorker forger = new ScriptedWorker(elsewhere.channel());
      forger.send(
          m ->
              m.setHello(
                  hello("w").setInstanceSecret(Secret.draw().text()).addHeldLeases(held(guessed))));
      assertEquals(List.of(lease.getLeaseId()), forger.next().getWelcome().getLostLeasesList());
      for (Task task : lease.getTasksList()) {
        assertEquals(SUPERSEDED, forger.report(drawn(guessed, task, "forged")));
      }
      forger.send(m -> m.setHeartbeat(Heartbeat.newBuilder().addLeases(held(guessed))));
      ConnectResponse lost = forger.next();
      assertEquals(lease.getLeaseId(), lost.getLeaseLost().getLeaseId());
      forger.send(m -> m.setRelease(release(guessed)));
    }
    for (Task task : lease.getTasksList()) {
      assertEquals(COMMITTED, worker.report(drawn(lease, task, "mine")));
    }
    for (PromptResult result : coordinator.results(job.getName())) {
      assertEquals("mine", result.getImages().getImages(0).getData().toStringUtf8());
      assertEquals(1, result.getProvenance().getAttempt());
    }
  }

  static Stream<String> guesses() {
    return Stream.of("", "A".repeat(22), "not a secret", "\0 fake:1.0_0.06M");
  }

  static Stream<Arguments> forgeries() {
    return Stream.of(
        forgery("outcome", (m, lease) -> m.setOutcome(outcome(lease))),
        forgery(
            "outcomes",
            (m, lease) -> m.setOutcomeBatch(OutcomeBatch.newBuilder().addOutcomes(outcome(lease)))),
        forgery("heartbeat", (m, lease) -> m.setHeartbeat(renewal(held(lease)))),
        forgery("release", (m, lease) -> m.setRelease(release(lease))),
        forgery("upload", (m, lease) -> m.setUploadRequest(upload(lease))));
  }

  private static Arguments forgery(String what, BiConsumer<ConnectRequest.Builder, Lease> message) {
    return Arguments.of(what, message);
  }

  @ParameterizedTest
  @MethodSource("forgeries")
  void aWrongSecretEndsTheStreamAndChangesNothing(
      String what, BiConsumer<ConnectRequest.Builder, Lease> message) throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    Lease forged = lease.toBuilder().setSecret("A".repeat(22)).build();
    worker.send(m -> message.accept(m, forged));
    assertEquals(ErrorCode.PERMISSION_DENIED, worker.failure());
    assertEquals(0, coordinator.job(job.getName()).getCounts().getSucceeded());

    ScriptedWorker again = connect("w", held(lease));
    assertEquals(List.of(), again.welcomed().getLostLeasesList());
    assertEquals(COMMITTED, again.report(drawn(lease, lease.getTasks(0), "mine")));
    PromptResult result = coordinator.results(job.getName()).get(0);
    assertEquals("mine", result.getImages().getImages(0).getData().toStringUtf8());
    assertEquals(1, result.getProvenance().getAttempt());
  }

  /** Its images would be stored before the queue refused them. */
  @Test
  void aWorkerCannotNamePromptsThatItsLeaseDoesNotHold() throws Exception {
    Job job = coordinator.submit(prompts(2));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    assertEquals(2, lease.getTasksCount());
    Job foreign = coordinator.submit(prompts(1));
    Task stolen =
        lease.getTasks(0).toBuilder()
            .setRef(TaskRef.newBuilder().setJob(foreign.getName()))
            .build();
    worker.cut();
    ScriptedWorker again = connect("w", held(lease.toBuilder().addTasks(stolen).build()));
    assertEquals(List.of(), again.welcomed().getLostLeasesList());
    assertEquals(SUPERSEDED, again.report(drawn(lease, stolen, "forged")));
    for (Task task : lease.getTasksList()) {
      assertEquals(COMMITTED, again.report(drawn(lease, task, "mine")));
    }
    assertEquals(2, coordinator.results(job.getName()).size());
    try (Stream<Path> stored = Files.walk(directory)) {
      assertEquals(2, stored.filter(file -> file.toString().endsWith(".png")).count());
    }
  }

  @Test
  void aWorkerTakesItsLeaseAlongToAnotherCoordinator() throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    worker.cut();
    try (TestCoordinator elsewhere = coordinator.second()) {
      ScriptedWorker there = new ScriptedWorker(elsewhere.channel()).welcome("w", held(lease));
      assertEquals(List.of(), there.welcomed().getLostLeasesList());
      assertEquals(COMMITTED, there.report(drawn(lease, lease.getTasks(0), "mine")));
    }
    assertTrue(coordinator.results(job.getName()).get(0).hasImages());
    assertEquals(0, coordinator.job(job.getName()).getCounts().getRetried());
  }

  private static Outcome outcome(Lease lease) {
    return drawn(lease, lease.getTasks(0), "forged");
  }

  private static Heartbeat renewal(HeldLease held) {
    return Heartbeat.newBuilder().addLeases(held).build();
  }

  private static Release release(Lease lease) {
    return Release.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setLeaseSecret(lease.getSecret())
        .build();
  }

  private static UploadRequest upload(Lease lease) {
    return UploadRequest.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setLeaseSecret(lease.getSecret())
        .setTask(lease.getTasks(0).getRef())
        .addImages(image("forged").toBuilder().clearData())
        .build();
  }
}
