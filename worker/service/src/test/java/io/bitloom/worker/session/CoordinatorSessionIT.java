package io.bitloom.worker.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.grpc.LeasedTasks;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.ConnectRequest.MessageCase;
import io.bitloom.v1.ConnectResponse;
import io.bitloom.v1.Drain;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Hello;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseLost;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.LeaseWatch;
import io.bitloom.v1.LeasedPrompts;
import io.bitloom.v1.Preview;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptGroup;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.Release;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.WorkerModel;
import io.bitloom.worker.session.CoordinatorPeer.Reported;
import io.grpc.Status;
import io.grpc.StatusException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A worker with the untrained model against the other side of the protocol on a real socket. */
@Timeout(600)
class CoordinatorSessionIT {
  private final UntrainedWorker worker = UntrainedWorker.shared();
  private CoordinatorPeer peer;
  private CoordinatorSession session;

  @BeforeEach
  void connect() throws Exception {
    peer = CoordinatorPeer.start();
    session = worker.session(peer.address());
    session.start();
  }

  @AfterEach
  void stop() throws Exception {
    session.close();
    peer.close();
  }

  @Test
  void introducesItselfAndAsksForTheRunningAndTheNextBatch() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    Hello hello = stream.welcome();
    assertEquals("worker-under-test", hello.getWorkerId());
    assertEquals("", hello.getPool(), "of before there were pools");
    WorkerModel model = hello.getModels(0);
    assertEquals("untrained", model.getName());
    assertTrue(model.getDigest().startsWith("sha256:"));
    assertEquals(15 * model.getSizesCount(), model.getCapacitiesCount());
    assertEquals(List.of(), hello.getHeldLeasesList());

    assertEquals(1, stream.next(MessageCase.WORK_REQUEST).getWorkRequest().getRequestNumber());
    assertEquals(2, stream.next(MessageCase.WORK_REQUEST).getWorkRequest().getRequestNumber());
    stream.next(MessageCase.HEARTBEAT);
  }

  @Test
  void deliversEveryPromptOfALeaseWithImagesOfTheRightSizeAndItsToken() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    Lease lease =
        Leases.lease(
            "a",
            "1.5_0.06M",
            Leases.prompt("1.5_0.06M", 1),
            Leases.prompt("1.5_0.06M", 2).toBuilder().setNumImages(3).build());
    stream.lease(lease);

    for (int i = 0; i < 2; i++) {
      Reported outcome = stream.nextOutcome();
      assertEquals("a", outcome.leaseId());
      assertEquals(lease.getFencingToken(), outcome.said().getFencingToken());
      boolean first = outcome.index() == 0;
      assertEquals(first ? 1 : 3, outcome.outcome().getImages().getImagesCount());
      for (GeneratedImage image : outcome.outcome().getImages().getImagesList()) {
        BufferedImage pixels =
            ImageIO.read(new ByteArrayInputStream(image.getData().toByteArray()));
        assertEquals(image.getWidth(), pixels.getWidth());
        assertEquals(image.getHeight(), pixels.getHeight());
        assertEquals(21 * 16, pixels.getHeight());
        assertEquals(14 * 16, pixels.getWidth());
      }
    }
  }

  @Test
  void showsEveryScaleAndPreviewsOfALeaseThatIsWatched() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    Lease unwatched = Leases.lease("a", "1.5_0.06M", Leases.prompt("1.5_0.06M", 1));
    stream.lease(unwatched);
    stream.acknowledge(stream.nextOutcome());
    assertTrue(stream.all(MessageCase.PREVIEW).isEmpty());
    stream.all(MessageCase.PROGRESS).clear();

    stream.lease(
        unwatched.toBuilder()
            .setLeaseId("b")
            .setWatch(LeaseWatch.newBuilder().setEveryScale(true).setPreviewPixels(100))
            .build());
    Preview preview = stream.next(MessageCase.PREVIEW).getPreview();
    assertEquals("b", preview.getLeaseId());
    assertEquals(Leases.ref("a", 0), preview.getTask());
    assertEquals(7, preview.getScales());
    assertTrue(preview.getScale() < 7, preview.toString());
    BufferedImage picture = ImageIO.read(preview.getJpeg().newInput());
    assertEquals(4 * 16, picture.getWidth());
    assertEquals(6 * 16, picture.getHeight());
    assertEquals(96, preview.getHeight());
    stream.nextOutcome();
    List<Integer> scales =
        stream.all(MessageCase.PROGRESS).stream().map(m -> m.getProgress().getScale()).toList();
    assertEquals(List.of(1, 2, 3, 4, 5, 6, 7), scales);
  }

  @Test
  void sendsAPreviewOfEveryImageThatIsWatchedAfterEveryScale() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    Prompt three = Leases.prompt("1.0_0.06M", 2).toBuilder().setNumImages(3).build();
    Lease lease = Leases.lease("a", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1), three);
    LeaseWatch all = LeaseWatch.newBuilder().setPreviewPixels(512).build();
    Set<String> ofFirst = previews(0, 1);
    Set<String> ofSecond = previews(1, 3);

    assertEquals(
        ofSecond, shown(stream, lease, all.toBuilder().addPreviewTasks(Leases.ref("a", 1))));
    assertEquals(
        Stream.of(ofFirst, ofSecond).flatMap(Set::stream).collect(Collectors.toSet()),
        shown(stream, lease, all.toBuilder()));
  }

  /** Offset, image and scale of every preview of a prompt of seven scales. */
  private static Set<String> previews(int offset, int images) {
    Set<String> previews = new HashSet<>();
    for (int i = 0; i < 7 * images; i++) {
      previews.add(offset + " " + i / 7 + " " + (i % 7 + 1));
    }
    return previews;
  }

  /** The previews that came of a lease before its last outcome. */
  private static Set<String> shown(
      CoordinatorPeer.Session stream, Lease lease, LeaseWatch.Builder watch) throws Exception {
    stream.all(MessageCase.PREVIEW).clear();
    stream.lease(lease.toBuilder().setWatch(watch).build());
    for (int i = 0; i < LeasedTasks.count(lease); i++) {
      stream.acknowledge(stream.nextOutcome());
    }
    return stream.all(MessageCase.PREVIEW).stream()
        .map(ConnectRequest::getPreview)
        .map(it -> it.getTask().getOffset() + " " + it.getIndex() + " " + it.getScale())
        .collect(Collectors.toSet());
  }

  @Test
  void refusesGuidanceAtALayerThatTheModelDoesNotHaveForGood() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    assertEquals(4, stream.welcome().getModels(0).getBlocks());
    Prompt prompt = Leases.prompt("1.0_0.06M", 1);
    stream.lease(
        Leases.lease(
            "a",
            "1.0_0.06M",
            prompt.toBuilder()
                .setSampling(prompt.getSampling().toBuilder().addGuidanceLayers(-4))
                .build()));
    TaskFailure failure = stream.nextOutcome().outcome().getFailure();
    assertEquals("PROMPT_REJECTED", failure.getReason());
    assertTrue(failure.getMessage().contains("-3 to -1"), failure.getMessage());
    assertFalse(failure.getRetryable());
  }

  @Test
  void whatIsRefusedAtOnceIsReportedTogether() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    Prompt prompt = Leases.prompt("1.0_0.06M", 1);
    Prompt bad =
        prompt.toBuilder()
            .setSampling(prompt.getSampling().toBuilder().addGuidanceLayers(-4))
            .build();
    stream.lease(Leases.lease("a", "1.0_0.06M", bad, bad, bad));
    LeaseOutcomes refusals = stream.next(MessageCase.LEASE_OUTCOMES).getLeaseOutcomes();
    assertEquals(
        List.of(0, 1, 2),
        refusals.getOutcomesList().stream().map(PromptOutcome::getIndex).toList());
    stream.awaitRenewed("a");
    stream.acknowledge("a", 0, 3);
    stream.awaitRenewed();
  }

  @Test
  void renewsLeasesUntilAllOutcomesAreAcknowledgedWithoutNamingPrompts() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(
        Leases.lease(
            "a", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1), Leases.prompt("1.0_0.06M", 2)));
    stream.lease(Leases.lease("b", "1.0_0.06M", Leases.prompt("1.0_0.06M", 3)));
    for (int i = 0; i < 3; i++) {
      stream.nextOutcome();
    }
    stream.awaitRenewed("a", "b");
    HeldLease renewed = stream.next(MessageCase.HEARTBEAT).getHeartbeat().getLeases(0);
    assertEquals(Leases.FENCING_TOKEN, renewed.getFencingToken());
    assertEquals(Leases.SECRET, renewed.getSecret());
    assertEquals(0, renewed.getTasksCount() + renewed.getIndexesCount());
    stream.acknowledge("a", 1, 1);
    stream.acknowledge("b", 0, 1);
    stream.awaitRenewed("a");
    stream.acknowledge("a", 0, 1);
    stream.awaitRenewed();
  }

  @Test
  void sendsWhatWasNotAcknowledgedAgainAfterTheCoordinatorCameBack() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    Hello first = stream.welcome();
    assertFalse(first.getInstanceSecret().isEmpty());
    Prompt prompt = Leases.prompt("1.0_0.06M", 1);
    stream.lease(
        Leases.lease("a", "1.0_0.06M").toBuilder()
            .clearPrompts()
            .addPrompts(Leases.prompts("jobs/x", 5, prompt))
            .addPrompts(Leases.prompts("jobs/y", 2, prompt, prompt, prompt))
            .build());
    Map<Integer, Reported> outcomes = new HashMap<>();
    for (int i = 0; i < 4; i++) {
      Reported outcome = stream.nextOutcome();
      outcomes.put(outcome.index(), outcome);
    }
    stream.acknowledge("a", 1, 2);
    // What is drawn after that shows that the acknowledgement has been read.
    stream.lease(Leases.lease("b", "1.0_0.06M", prompt));
    Reported last = stream.nextOutcome();
    stream.all(MessageCase.HEARTBEAT).clear();
    stream.acknowledge(last);
    stream.awaitRenewed("a");
    int port = peer.port();
    peer.close();

    peer = CoordinatorPeer.start(port);
    CoordinatorPeer.Session next = peer.nextSession();
    Hello hello = next.welcome();
    assertEquals(
        List.of(
            HeldLease.newBuilder()
                .setLeaseId("a")
                .setFencingToken(Leases.FENCING_TOKEN)
                .setSecret(Leases.SECRET)
                .setModel("untrained")
                .setSchedule("1.0_0.06M")
                .addTasks(TaskRef.newBuilder().setJob("jobs/x").setOffset(5))
                .addIndexes(0)
                .addTasks(TaskRef.newBuilder().setJob("jobs/y").setOffset(4))
                .addIndexes(3)
                .build()),
        hello.getHeldLeasesList());
    assertEquals(first.getInstanceSecret(), hello.getInstanceSecret());
    assertEquals(outcomes.get(0), next.nextOutcome());
    assertEquals(outcomes.get(3), next.nextOutcome());
    assertEquals(Leases.SECRET, outcomes.get(0).said().getLeaseSecret());
    next.acknowledge("a", 0, 4);
    next.awaitRenewed();
  }

  @Test
  void goesOnDrawingWhileTheCoordinatorIsAway() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(Leases.lease("a", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)));
    stream.lease(Leases.lease("b", "0.5_0.06M", Leases.prompt("0.5_0.06M", 1)));
    int port = peer.port();
    peer.close();

    peer = CoordinatorPeer.start(port);
    CoordinatorPeer.Session next = peer.nextSession();
    assertEquals(2, next.welcome().getHeldLeasesCount());
    Set<String> delivered = Set.of(next.nextOutcome().leaseId(), next.nextOutcome().leaseId());
    assertEquals(Set.of("a", "b"), delivered);
  }

  @Test
  void dropsLeasesThatWentToAnotherWorker() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(Leases.lease("lost-on-reconnect", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)));
    stream.lease(Leases.lease("lost-by-message", "1.0_0.06M", Leases.prompt("1.0_0.06M", 2)));
    stream.nextOutcome();
    stream.nextOutcome();
    stream.send(
        ConnectResponse.newBuilder()
            .setLeaseLost(LeaseLost.newBuilder().setLeaseId("lost-by-message"))
            .build());
    stream.awaitRenewed("lost-on-reconnect");
    stream.refuse(Status.UNAVAILABLE);

    CoordinatorPeer.Session next = peer.nextSession();
    Hello hello = next.welcome("lost-on-reconnect");
    assertEquals("lost-on-reconnect", hello.getHeldLeases(0).getLeaseId());
    assertEquals(1, hello.getHeldLeasesCount());
    next.awaitRenewed();

    next.lease(Leases.lease("new", "1.0_0.06M", Leases.prompt("1.0_0.06M", 3)));
    assertEquals("new", next.nextOutcome().leaseId());
  }

  @Test
  void aPromptThatCannotBeDrawnFailsAloneAndForGood() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(
        Leases.lease(
            "a",
            "1.0_0.06M",
            Leases.prompt("1.0_0.06M", 1),
            Leases.prompt("1.0_0.06M", 2).toBuilder().setNumImages(99).build()));
    List<Reported> outcomes = List.of(stream.nextOutcome(), stream.nextOutcome());
    for (Reported outcome : outcomes) {
      if (outcome.index() == 0) {
        assertEquals(1, outcome.outcome().getImages().getImagesCount());
      } else {
        TaskFailure failure = outcome.outcome().getFailure();
        assertEquals("PROMPT_REJECTED", failure.getReason());
        assertFalse(failure.getRetryable());
        assertTrue(failure.getMessage().contains("99"), failure.getMessage());
      }
    }
  }

  @Test
  void aLeaseOfAnotherModelIsRefusedForAnotherWorkerToTake() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(
        Leases.lease("a", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)).toBuilder()
            .setModel("infinity-2b")
            .build());
    TaskFailure failure = stream.nextOutcome().outcome().getFailure();
    assertTrue(failure.getRetryable());
    assertTrue(failure.getMessage().contains("infinity-2b"), failure.getMessage());
  }

  @Test
  void aLeaseThatCannotBeReadFailsForAnotherWorkerToTakeAndTheWorkerGoesOn() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    Prompt prompt = Leases.prompt("1.0_0.06M", 1);
    LeasedPrompts torn = Leases.prompts("jobs/torn", 3, prompt, prompt);
    PromptGroup group = torn.getGroups(0);
    stream.lease(
        Leases.lease("torn", "1.0_0.06M").toBuilder()
            .clearPrompts()
            .addPrompts(
                torn.toBuilder()
                    .setGroups(
                        0,
                        group.toBuilder()
                            .setPrompts(
                                group.getPrompts().substring(0, group.getPrompts().size() - 1))))
            .build());
    for (int index = 0; index < 2; index++) {
      Reported outcome = stream.nextOutcome();
      assertEquals("torn", outcome.leaseId());
      assertEquals(index, outcome.index());
      TaskFailure failure = outcome.outcome().getFailure();
      assertEquals("INTERNAL", failure.getReason());
      assertTrue(failure.getRetryable());
      assertTrue(failure.getMessage().contains("cannot be read"), failure.getMessage());
    }
    stream.acknowledge("torn", 0, 2);
    stream.lease(Leases.lease("whole", "1.0_0.06M", prompt));
    assertEquals(1, stream.nextOutcome().outcome().getImages().getImagesCount());
    stream.awaitRenewed("whole");
  }

  @Test
  void whenTheCoordinatorDrainsItHandsBackWhatWaitsAndDeliversWhatRuns() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(Leases.longLease("running"));
    stream.next(MessageCase.PROGRESS);
    stream.lease(Leases.lease("waiting", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)));
    stream.awaitRenewed("running", "waiting");
    stream.send(
        ConnectResponse.newBuilder().setDrain(Drain.newBuilder().setReason("update")).build());

    Release release = stream.next(MessageCase.RELEASE).getRelease();
    assertEquals("waiting", release.getLeaseId());
    assertEquals(Leases.FENCING_TOKEN, release.getFencingToken());
    assertEquals(List.of(Leases.ref("waiting", 0)), release.getTasksList());
    Reported outcome = stream.nextOutcome();
    assertEquals("running", outcome.leaseId());
    stream.acknowledge(outcome);
    stream.awaitEnd();

    peer.nextSession().welcome();
  }

  @Test
  void aDrainedWorkerHandsBackWhatRunsWhenItsTimeIsOver() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(Leases.longLease("running"));
    stream.next(MessageCase.PROGRESS);
    session.drain("test", Duration.ZERO);

    Release release = stream.next(MessageCase.RELEASE).getRelease();
    assertEquals("running", release.getLeaseId());
    assertEquals(List.of(Leases.ref("running", 0)), release.getTasksList());
    stream.awaitEnd();
    session.ended().get(CoordinatorPeer.PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertEquals(List.of(), List.copyOf(stream.all(MessageCase.LEASE_OUTCOMES)));
  }

  @Test
  void aDrainedWorkerWithNothingInHandEndsAtOnce() throws Exception {
    peer.nextSession().welcome();
    session.drain("test", Duration.ofMinutes(1));
    session.ended().get(CoordinatorPeer.PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertFalse(session.isConnected());
  }

  @Test
  void aWorkerWhoseIdOrModelIsTakenTriesAgainAsTheSameProcess() throws Exception {
    CoordinatorPeer.Session first = peer.nextSession();
    first.refuse(Status.ALREADY_EXISTS.withDescription("another process is connected"));
    CoordinatorPeer.Session second = peer.nextSession();
    String secret = second.welcome().getInstanceSecret();
    second.refuse(Status.UNAVAILABLE);
    assertEquals(secret, peer.nextSession().welcome().getInstanceSecret());
  }

  @Test
  void aWorkerThatIsRefusedEndsWithTheReason() {
    ExecutionException ended =
        assertThrows(
            ExecutionException.class,
            () -> {
              peer.nextSession().refuse(Status.INVALID_ARGUMENT.withDescription("model too old"));
              session.ended().get(CoordinatorPeer.PATIENCE_SECONDS, TimeUnit.SECONDS);
            });
    StatusException refusal = assertInstanceOf(StatusException.class, ended.getCause());
    assertEquals("model too old", refusal.getStatus().getDescription());
  }

  @Test
  void aCoordinatorOfAnEarlierFormIsNoneForThisWorker() throws Exception {
    assertEquals(2, peer.nextSession().welcome(0).getForm());
    ExecutionException ended =
        assertThrows(
            ExecutionException.class,
            () -> session.ended().get(CoordinatorPeer.PATIENCE_SECONDS, TimeUnit.SECONDS));
    String reason = GrpcErrors.fromStatus(ended).getMessage();
    assertTrue(reason.contains("update coordinators first"), reason);
    assertTrue(reason.contains(peer.address()), reason);
  }

  @Test
  void aWorkerThatIsAtHomeWaitsForACoordinatorOfItsForm() throws Exception {
    CoordinatorPeer.Session stream = peer.nextSession();
    stream.welcome();
    stream.lease(Leases.lease("a", "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)));
    Reported outcome = stream.nextOutcome();
    stream.refuse(Status.UNAVAILABLE);
    CoordinatorPeer.Session rolledBack = peer.nextSession();
    rolledBack.welcome(1);
    rolledBack.awaitEnd();
    assertEquals(List.of(), List.copyOf(rolledBack.all(MessageCase.WORK_REQUEST)));
    assertEquals(List.of(), List.copyOf(rolledBack.all(MessageCase.LEASE_OUTCOMES)));

    CoordinatorPeer.Session next = peer.nextSession();
    next.welcome();
    assertEquals(outcome, next.nextOutcome());
    assertFalse(session.ended().isDone());
  }

  @Test
  void stopsAskingForWorkWhileTooManyImagesAreUnacknowledged() throws Exception {
    try (CoordinatorPeer slow = CoordinatorPeer.start();
        CoordinatorSession frugal = worker.session(slow.address(), 1)) {
      frugal.start();
      CoordinatorPeer.Session stream = slow.nextSession();
      stream.welcome();
      List<Reported> outcomes = new ArrayList<>();
      while (asksForWork(stream)) {
        String lease = "lease-" + outcomes.size();
        stream.lease(Leases.lease(lease, "1.0_0.06M", Leases.prompt("1.0_0.06M", 1)));
        outcomes.add(stream.nextOutcome());
      }
      outcomes.forEach(stream::acknowledge);
      stream.next(MessageCase.WORK_REQUEST);
    }
  }

  /** Whether a request comes within the time of some heartbeats. */
  private static boolean asksForWork(CoordinatorPeer.Session stream) throws InterruptedException {
    stream.all(MessageCase.HEARTBEAT).clear();
    for (int beats = 0; beats < 3; beats++) {
      stream.next(MessageCase.HEARTBEAT);
    }
    return !stream.all(MessageCase.WORK_REQUEST).isEmpty();
  }
}
