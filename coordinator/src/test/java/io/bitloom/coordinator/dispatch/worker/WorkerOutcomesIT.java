package io.bitloom.coordinator.dispatch.worker;

import static io.bitloom.coordinator.TestCoordinator.prompts;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.drawn;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.image;
import static io.bitloom.coordinator.dispatch.worker.ScriptedWorker.outcome;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.FakeBehaviour;
import io.bitloom.v1.CapacityUpdate;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.ImageFormat;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.ScheduleCapacity;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import io.bitloom.v1.WorkRequest;
import io.bitloom.v1.WorkerModel;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What workers report, and what they must not. */
class WorkerOutcomesIT extends DispatchFixture {

  // Failures

  @Test
  void aFailureIsRetriedUntilItsLastAttemptAndAnUnmendableOneIsNot() throws Exception {
    Job job = coordinator.submit(prompts(2));
    ScriptedWorker worker = connect("w");
    for (int attempt = 1; attempt <= 3; attempt++) {
      Lease lease = worker.lease();
      for (Task task : lease.getTasksList()) {
        assertEquals(attempt, task.getAttempt());
        boolean mendable = task.getRef().getOffset() == 0;
        assertEquals(
            COMMITTED,
            worker.report(
                outcome(lease, task)
                    .setFailure(
                        TaskFailure.newBuilder()
                            .setReason(mendable ? "OUT_OF_MEMORY" : "PROMPT_REJECTED")
                            .setMessage("attempt " + attempt)
                            .setRetryable(mendable))
                    .build()));
      }
    }
    List<PromptResult> results = coordinator.results(job.getName());
    assertEquals("PROMPT_REJECTED", results.get(0).getFailure().getReason());
    assertEquals(1, results.get(0).getFailure().getAttempts());
    assertEquals("OUT_OF_MEMORY", results.get(1).getFailure().getReason());
    assertEquals("attempt 3", results.get(1).getFailure().getMessage());
    assertEquals(3, results.get(1).getFailure().getAttempts());
    assertEquals(JobState.JOB_STATE_FAILED, coordinator.job(job.getName()).getState());
  }

  static Stream<Arguments> badImages() {
    return Stream.of(
        Arguments.of("no image", GeneratedImages.getDefaultInstance()),
        Arguments.of(
            "two images",
            GeneratedImages.newBuilder()
                .addImages(image("a"))
                .addImages(image("b").toBuilder().setIndex(1))
                .build()),
        Arguments.of("wrong size", one(image("a").toBuilder().setWidth(512))),
        Arguments.of("wrong index", one(image("a").toBuilder().setIndex(3))),
        Arguments.of(
            "wrong format", one(image("a").toBuilder().setFormat(ImageFormat.IMAGE_FORMAT_JPEG))),
        Arguments.of(
            "wrong digest", one(image("a").toBuilder().setData(ByteString.copyFromUtf8("b")))),
        Arguments.of("no bytes", one(image("a").toBuilder().clearData())),
        Arguments.of("a name", one(image("a").toBuilder().setUri("../../etc/passwd"))));
  }

  private static GeneratedImages one(GeneratedImage.Builder image) {
    return GeneratedImages.newBuilder().addImages(image).build();
  }

  @ParameterizedTest
  @MethodSource("badImages")
  void imagesThatAreNotWhatWasAskedForAreAFailure(String what, GeneratedImages images)
      throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    Lease lease = worker.lease();
    assertEquals(
        COMMITTED, worker.report(outcome(lease, lease.getTasks(0)).setImages(images).build()));
    Lease again = worker.lease();
    assertEquals(2, again.getTasks(0).getAttempt(), what);
    assertEquals(COMMITTED, worker.report(drawn(again, again.getTasks(0), "good")));
    assertTrue(coordinator.results(job.getName()).get(0).hasImages());
  }

  @Test
  void aDrawnTextThatIsTooLongIsAFailureAndNotStored() throws Exception {
    Job job = coordinator.submit(prompts(1));
    ScriptedWorker worker = connect("w");
    String text = "x".repeat(100_000);
    for (int attempt = 1; attempt <= 3; attempt++) {
      Lease lease = worker.lease();
      Outcome outcome =
          drawn(lease, lease.getTasks(0), "image").toBuilder()
              .setDrawnText(DrawnText.newBuilder().setText(text))
              .build();
      assertEquals(COMMITTED, worker.report(outcome));
    }
    PromptResult result = coordinator.results(job.getName()).get(0);
    assertEquals("RESULT_CORRUPT", result.getFailure().getReason());
    assertTrue(result.getSerializedSize() < 10_000);
  }

  // Rules of the protocol

  static Stream<Arguments> badFirstMessages() {
    return Stream.of(
        first(
            ErrorCode.PROTOCOL_VIOLATION,
            m -> m.setWorkRequest(WorkRequest.newBuilder().setRequestNumber(1))),
        first(ErrorCode.PROTOCOL_VIOLATION, m -> {}),
        first(ErrorCode.INVALID_FIELD, m -> m.setHello(ScriptedWorker.hello(""))),
        first(ErrorCode.INVALID_FIELD, m -> m.setHello(ScriptedWorker.hello("w").clearModels())),
        first(ErrorCode.INVALID_FIELD, m -> m.setHello(ScriptedWorker.hello("a\nb"))),
        first(
            ErrorCode.INVALID_FIELD,
            m ->
                m.setHello(
                    ScriptedWorker.hello("w")
                        .addModels(
                            WorkerModel.newBuilder()
                                .setName("x")
                                .addAllSizes(Collections.nCopies(20_000, "1M"))))),
        first(
            ErrorCode.INVALID_FIELD,
            m ->
                m.setHello(
                    ScriptedWorker.hello("w")
                        .addModels(WorkerModel.newBuilder().setName("x").addSizes("9M")))),
        first(
            ErrorCode.INVALID_FIELD,
            m ->
                m.setHello(
                    ScriptedWorker.hello("w")
                        .addModels(
                            WorkerModel.newBuilder()
                                .setName("x")
                                .addSizes("1M")
                                .addCapacities(
                                    ScheduleCapacity.newBuilder()
                                        .setSchedule("1.0_1M")
                                        .setMaxImages(0))))));
  }

  private static Arguments first(ErrorCode code, Consumer<ConnectRequest.Builder> message) {
    return Arguments.of(code, message);
  }

  @ParameterizedTest
  @MethodSource("badFirstMessages")
  void aWorkerThatIntroducesItselfBadlyIsRefused(
      ErrorCode code, Consumer<ConnectRequest.Builder> message) throws Exception {
    ScriptedWorker worker = new ScriptedWorker(coordinator.channel());
    worker.send(message);
    assertEquals(code, worker.failure());
  }

  static Stream<Consumer<ConnectRequest.Builder>> badLaterMessages() {
    return Stream.of(
        m -> m.setHello(ScriptedWorker.hello("w")),
        m -> m.setWorkRequest(WorkRequest.newBuilder().setRequestNumber(0)),
        m -> m.setOutcome(Outcome.newBuilder().setLeaseId("x")),
        m ->
            m.setOutcome(
                Outcome.newBuilder()
                    .setTask(TaskRef.newBuilder().setJob("../x"))
                    .setFailure(TaskFailure.newBuilder().setReason("X"))),
        m -> m.setCapacityUpdate(CapacityUpdate.newBuilder().setModel("other")));
  }

  @ParameterizedTest
  @MethodSource("badLaterMessages")
  void aWorkerThatBreaksTheRulesIsCutOffAndLosesNoPrompt(Consumer<ConnectRequest.Builder> message)
      throws Exception {
    Job job = coordinator.submit(prompts(4));
    ScriptedWorker worker = connect("w");
    worker.lease();
    worker.send(message);
    assertTrue(
        List.of(ErrorCode.PROTOCOL_VIOLATION, ErrorCode.INVALID_FIELD).contains(worker.failure()));
    coordinator.worker("good", FakeBehaviour.DEFAULT);
    assertEquals(4, coordinator.results(job.getName()).size());
  }
}
