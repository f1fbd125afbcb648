package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.RelativeLease.failure;
import static io.bitloom.coordinator.dispatch.worker.RelativeLease.image;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.grpc.LeasedTasks;
import io.bitloom.coordinator.dispatch.worker.RelativeLease.Verdicts;
import io.bitloom.v1.IndexRange;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Lease;
import io.bitloom.v1.LeaseOutcomes;
import io.bitloom.v1.LeaseVerdicts;
import io.bitloom.v1.LeasedPrompts;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.PromptRun;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Leases whose prompts are named by their places in them. */
class RelativeLeasesIT extends DispatchFixture {

  // What is leased

  @Test
  void aLeaseOfTwoJobsIsOneListOfIndexes() throws Exception {
    Job first = coordinator.submit(prompts(4, "1:1", "3:2"));
    Job second = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    assertEquals(0, lease.lease().getTasksCount());
    assertEquals(2, lease.lease().getPromptsCount());
    for (LeasedPrompts prompts : lease.lease().getPromptsList()) {
      boolean ofFirst = prompts.getJob().equals(first.getName());
      assertEquals(
          ofFirst ? List.of(run(0, 1), run(2, 1)) : List.of(run(0, 2)), prompts.getRunsList());
    }
    List<Task> tasks = LeasedTasks.of(lease.lease());
    assertEquals(4, tasks.size());
    assertEquals(lease.refs(), tasks.stream().map(Task::getRef).toList());
    for (Task task : tasks) {
      assertEquals("prompt " + task.getRef().getOffset(), task.getPrompt().getPrompt());
      assertEquals("1:1", task.getPrompt().getAspectRatio());
      assertEquals(1, task.getPrompt().getNumImages());
    }

    assertEquals(Verdicts.of(List.of(0, 1, 2, 3)), worker.report(lease.drawn(0, 1, 2, 3)));
    List<PromptResult> results = coordinator.results(second.getName());
    for (PromptResult result : results) {
      TaskRef ref =
          TaskRef.newBuilder().setJob(second.getName()).setOffset(result.getOffset()).build();
      assertEquals("image " + lease.refs().indexOf(ref), content(result));
    }
    assertEquals(2, results.size());
    assertEquals(2, coordinator.job(first.getName()).getCounts().getSucceeded());
  }

  private static PromptRun run(long first, int count) {
    return PromptRun.newBuilder().setFirst(first).setCount(count).setAttempt(1).build();
  }

  // What is reported

  @Test
  void outcomesThatComeTogetherAreAnsweredByOneRange() throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    LeaseOutcomes all = lease.outcomes(failures(4));
    worker.send(m -> m.setLeaseOutcomes(all));
    assertEquals(
        verdicts(lease).addCommitted(range(0, 4)).build(), worker.next().getLeaseVerdicts());
    worker.send(m -> m.setLeaseOutcomes(all));
    assertEquals(
        verdicts(lease).addSuperseded(range(0, 4)).build(), worker.next().getLeaseVerdicts());
    assertEquals(4, coordinator.results(job.getName()).size());
    assertEquals(JobState.JOB_STATE_FAILED, coordinator.job(job.getName()).getState());
  }

  private static PromptOutcome[] failures(int count) {
    return IntStream.range(0, count)
        .mapToObj(index -> failure(index, false))
        .toArray(PromptOutcome[]::new);
  }

  private static LeaseVerdicts.Builder verdicts(RelativeLease lease) {
    return LeaseVerdicts.newBuilder().setLeaseId(lease.lease().getLeaseId());
  }

  private static IndexRange range(int first, int count) {
    return IndexRange.newBuilder().setFirst(first).setCount(count).build();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void outcomesMayComeInAnyOrder(boolean together) throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    if (together) {
      assertEquals(Verdicts.of(List.of(0, 1, 2, 3)), worker.report(lease.drawn(2, 0, 3, 1)));
    } else {
      for (int index : List.of(2, 0, 3, 1)) {
        assertEquals(Verdicts.of(List.of(index)), worker.report(lease.drawn(index)));
      }
    }
    assertAllDrawn(job, lease);
  }

  private void assertAllDrawn(Job job, RelativeLease lease) throws Exception {
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals(lease.refs().size(), results.size());
    for (PromptResult result : results) {
      TaskRef ref =
          TaskRef.newBuilder().setJob(job.getName()).setOffset(result.getOffset()).build();
      assertEquals("image " + lease.refs().indexOf(ref), content(result));
      assertEquals(1, result.getProvenance().getAttempt());
    }
    assertEquals(results.size(), storedImages());
  }

  private static String content(PromptResult result) {
    return result.getImages().getImages(0).getData().toStringUtf8();
  }

  @Test
  void oneMessageMayHaveOutcomesOfEveryKind() throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    Verdicts verdicts =
        worker.report(
            lease.outcomes(
                failure(1, true), image(0, "good"), image(4, "no prompt"), failure(3, false)));
    assertEquals(Verdicts.of(List.of(0, 1, 3), 4), verdicts);
    assertEquals(Verdicts.of(List.of(2)), worker.report(lease.drawn(2)));
    RelativeLease again = worker.relativeLease();
    assertEquals(List.of(lease.refs().get(1)), again.refs());
    assertEquals(2, LeasedTasks.of(again.lease()).get(0).getAttempt());
    assertEquals(Verdicts.of(List.of(0)), worker.report(again.drawn(0)));
    coordinator.results(job.getName());
    assertEquals(3, coordinator.job(job.getName()).getCounts().getSucceeded());
    assertEquals(1, coordinator.job(job.getName()).getCounts().getFailed());
  }

  // What is not taken

  @ParameterizedTest
  @ValueSource(ints = {-1, 4, 1 << 16, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void anIndexThatTheLeaseDoesNotHaveIsRefused(int index) throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    assertEquals(Verdicts.of(List.of(), index), worker.report(lease.drawn(index)));
    assertEquals(0, storedImages());
    assertEquals(
        Verdicts.of(List.of(), index), worker.report(lease.outcomes(failure(index, true))));
    assertEquals(Verdicts.of(List.of(0, 1, 2, 3)), worker.report(lease.drawn(0, 1, 2, 3)));
    assertAllDrawn(job, lease);
  }

  @Test
  void anOutcomeThatComesTwiceCountsOnce() throws Exception {
    Job job = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    assertEquals(
        Verdicts.of(List.of(0), 0),
        worker.report(lease.outcomes(image(0, "image 0"), image(0, "another"))));
    assertEquals(Verdicts.of(List.of(), 0), worker.report(lease.outcomes(image(0, "yet another"))));
    assertEquals(Verdicts.of(List.of(), 0), worker.report(lease.outcomes(failure(0, true))));
    assertEquals(Verdicts.of(List.of(1)), worker.report(lease.drawn(1)));
    assertAllDrawn(job, lease);
  }

  static Stream<Function<Lease, Lease.Builder>> unknownLeases() {
    return Stream.of(
        lease -> lease.toBuilder().setLeaseId("no lease"),
        lease -> lease.toBuilder().setLeaseId(""),
        lease -> lease.toBuilder().setLeaseId(lease.getLeaseId().replace("1.0_", "2.0_")),
        lease -> Lease.newBuilder());
  }

  @ParameterizedTest
  @MethodSource("unknownLeases")
  void anOutcomeOfAnUnknownLeaseIsRefused(Function<Lease, Lease.Builder> other) throws Exception {
    Job job = coordinator.submit(prompts(4, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    RelativeLease unknown = new RelativeLease(other.apply(lease.lease()).build());
    assertEquals(Verdicts.of(List.of(), 0, 3), worker.report(unknown.drawn(3, 0)));
    assertEquals(0, storedImages());
    assertEquals(Verdicts.of(List.of(0, 1, 2, 3)), worker.report(lease.drawn(0, 1, 2, 3)));
    assertAllDrawn(job, lease);
  }

  @Test
  void anOutcomeOfALeaseThatIsOverIsRefusedWhoeverReportsIt() throws Exception {
    Job job = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    assertEquals(Verdicts.of(List.of(0, 1)), worker.report(lease.drawn(0, 1)));
    LeaseOutcomes late = lease.outcomes(image(0, "late"), image(1, "late"));
    assertEquals(Verdicts.of(List.of(), 0, 1), worker.report(late));
    assertEquals(
        Verdicts.of(List.of(), 0, 1),
        worker.report(late.toBuilder().setLeaseSecret("A".repeat(22)).build()));
    assertAllDrawn(job, lease);
  }

  @Test
  void anOutcomeOfALostLeaseIsRefused() throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker slow = connectRelative("slow");
    RelativeLease lost = slow.relativeLease();
    // No heartbeat: the lease expires while the stream is open.
    ScriptedWorker other = connectRelative("other");
    RelativeLease lease = other.relativeLease();
    assertEquals(2, LeasedTasks.of(lease.lease()).get(0).getAttempt());
    assertEquals(Verdicts.of(List.of(), 0), slow.report(lost.drawn(0)));
    assertEquals(Verdicts.of(List.of(0)), other.report(lease.drawn(0)));
    assertEquals(Verdicts.of(List.of(), 0), slow.report(lost.drawn(0)));
    PromptResult result = coordinator.results(job.getName()).get(0);
    assertEquals("other", result.getProvenance().getWorker());
  }

  @Test
  void whatIsReportedOfACancelledJobIsRefusedAndTheRestOfTheLeaseTaken() throws Exception {
    Job cancelled = coordinator.submit(prompts(2, "1:1"));
    Job kept = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    coordinator.cancel(cancelled.getName());
    List<TaskRef> stopped = worker.next().getLeaseLost().getTasksList();
    List<Integer> gone = stopped.stream().map(lease.refs()::indexOf).sorted().toList();
    List<Integer> left =
        IntStream.range(0, 4).filter(index -> !gone.contains(index)).boxed().toList();
    assertEquals(2, gone.size());
    assertEquals(new Verdicts(left, gone), worker.report(lease.drawn(0, 1, 2, 3)));
    assertEquals(2, coordinator.results(kept.getName()).size());
    assertEquals(JobState.JOB_STATE_CANCELLED, coordinator.job(cancelled.getName()).getState());
    assertEquals(2, storedImages());
  }

  // What ends the stream

  static Stream<Consumer<Lease.Builder>> forgeries() {
    return Stream.of(
        lease -> lease.setSecret("A".repeat(22)),
        lease -> lease.setSecret(""),
        lease -> lease.setFencingToken(lease.getFencingToken() + 1),
        lease -> lease.setFencingToken(0));
  }

  @ParameterizedTest
  @MethodSource("forgeries")
  void whoDoesNotProveTheLeaseIsCutOffAndChangesNothing(Consumer<Lease.Builder> forgery)
      throws Exception {
    Job job = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    worker.send(m -> m.setLeaseOutcomes(lease.with(forgery).drawn(0, 1)));
    assertEquals(ErrorCode.PERMISSION_DENIED, worker.failure());
    assertEquals(0, storedImages());
    assertAllAreTakenAfterwards(job, lease);
  }

  static Stream<Function<RelativeLease, LeaseOutcomes>> violations() {
    return Stream.of(
        lease -> lease.outcomes(),
        lease -> LeaseOutcomes.getDefaultInstance(),
        lease -> lease.outcomes(PromptOutcome.getDefaultInstance()),
        lease -> lease.outcomes(PromptOutcome.newBuilder().setIndex(7).build()));
  }

  @ParameterizedTest
  @MethodSource("violations")
  void whoReportsNothingIsCutOff(Function<RelativeLease, LeaseOutcomes> nothing) throws Exception {
    Job job = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    worker.send(m -> m.setLeaseOutcomes(nothing.apply(lease)));
    assertEquals(ErrorCode.PROTOCOL_VIOLATION, worker.failure());
    assertAllAreTakenAfterwards(job, lease);
  }

  @Test
  void whoReportsInTheFormOfBeforeIsCutOff() throws Exception {
    Job job = coordinator.submit(prompts(2, "1:1"));
    ScriptedWorker worker = connectRelative("w");
    RelativeLease lease = worker.relativeLease();
    worker.send(m -> m.setOutcome(Outcome.getDefaultInstance()));
    assertEquals(ErrorCode.PROTOCOL_VIOLATION, worker.failure());
    assertAllAreTakenAfterwards(job, lease);
  }

  @Test
  void whoReportsInAFormThatItDidNotSayIsCutOff() throws Exception {
    ScriptedWorker worker = connect("w");
    worker.send(
        m -> m.setLeaseOutcomes(LeaseOutcomes.newBuilder().addOutcomes(ofIndex(0)).build()));
    assertEquals(ErrorCode.PROTOCOL_VIOLATION, worker.failure());
  }

  private static PromptOutcome ofIndex(int index) {
    return PromptOutcome.newBuilder()
        .setIndex(index)
        .setFailure(TaskFailure.getDefaultInstance())
        .build();
  }

  private void assertAllAreTakenAfterwards(Job job, RelativeLease lease) throws Exception {
    ScriptedWorker again = connectRelative("w", lease.held(0, 1));
    assertEquals(List.of(), again.welcomed().getLostLeasesList());
    assertEquals(Verdicts.of(List.of(0, 1)), again.report(lease.drawn(0, 1)));
    assertAllDrawn(job, lease);
  }
}
