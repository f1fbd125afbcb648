package io.bitloom.worker.session;

import com.google.protobuf.Duration;
import com.google.protobuf.UnsafeByteOperations;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.prompt.PromptMessages;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.rules.ImagePrompt;
import io.bitloom.common.rules.ImagePromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.engine.EncodedImage;
import io.bitloom.engine.Engine;
import io.bitloom.engine.PromptWork;
import io.bitloom.engine.StageDurations;
import io.bitloom.engine.Submission;
import io.bitloom.engine.modeldir.ModelDirectory;
import io.bitloom.v1.ConnectRequest;
import io.bitloom.v1.DrawnText;
import io.bitloom.v1.GeneratedImage;
import io.bitloom.v1.GeneratedImages;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** Translates between leases and outcomes on the wire and the engine's prompts and images. */
final class LeasedWork {
  private final Engine engine;
  private final ModelDirectory model;

  /** The coordinator has limited the length of texts already. */
  private final PromptRules rules = new PromptRules(Integer.MAX_VALUE);

  LeasedWork(Engine engine) {
    this.engine = engine;
    this.model = engine.model();
  }

  /**
   * Takes a lease into the ledger and hands its prompts to the engine, except those that cannot be
   * drawn: their outcomes are in the ledger at once.
   *
   * @param display is given progress and previews on the device's thread
   * @param finished is given what the prompts come to, later and on another thread
   * @return completes when the device is done with the lease
   */
  CompletableFuture<Void> start(
      Lease lease,
      LeaseLedger ledger,
      Consumer<ConnectRequest> display,
      Consumer<Outcome> finished) {
    Optional<ScaleSchedule> schedule =
        ScaleSchedules.find(lease.getSchedule())
            .filter(
                found ->
                    lease.getModel().equals(model.name()) && model.sizes().contains(found.size()));
    List<TaskRef> tasks = new ArrayList<>();
    List<ImagePrompt> prompts = new ArrayList<>();
    ledger.add(lease);
    for (Task task : lease.getTasksList()) {
      Optional<BitloomException> refusal =
          schedule.isEmpty() ? Optional.of(wrongModel(lease)) : refusal(task, schedule.get());
      if (refusal.isPresent()) {
        ledger.add(lease.getLeaseId(), task.getRef(), null);
        ledger.finished(failed(lease, task.getRef(), refusal.get()));
      } else {
        tasks.add(task.getRef());
        prompts.add(PromptMessages.prompt(task.getPrompt()));
      }
    }
    if (tasks.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    Submission submission =
        engine.submit(schedule.orElseThrow(), prompts, new LeaseObserver(lease, tasks, display));
    for (int i = 0; i < tasks.size(); i++) {
      TaskRef task = tasks.get(i);
      PromptWork work = submission.prompts().get(i);
      ledger.add(lease.getLeaseId(), task, work);
      work.result()
          .handle(
              (images, failure) ->
                  failure == null ? drawn(lease, task, work, images) : failed(lease, task, failure))
          .thenAccept(finished);
    }
    return submission.drawn();
  }

  private BitloomException wrongModel(Lease lease) {
    return new BitloomException(
        ErrorCode.INTERNAL,
        "this worker draws "
            + model.name()
            + " in "
            + model.sizes()
            + ", not "
            + lease.getModel()
            + " in "
            + ScaleSchedules.name(lease.getSchedule()));
  }

  private Optional<BitloomException> refusal(Task task, ScaleSchedule schedule) {
    Optional<BitloomException> rejected = rejected(rules.check(task.getPrompt()));
    if (rejected.isPresent()) {
      return rejected;
    }
    ImagePrompt prompt = PromptMessages.prompt(task.getPrompt());
    if (!isComplete(prompt) || !ImagePromptRules.schedule(prompt).equals(schedule)) {
      return Optional.of(
          new BitloomException(
              ErrorCode.INTERNAL, "the prompt's defaults are not filled in for " + schedule));
    }
    return rejected(
        ImagePromptRules.check(
            new ImagePromptRules.Resolved(prompt, schedule),
            "",
            List.of(schedule.size().label()),
            model.transformer().depth()));
  }

  private static Optional<BitloomException> rejected(List<FieldViolation> violations) {
    return violations.stream()
        .findFirst()
        .map(
            first ->
                new BitloomException(
                    ErrorCode.PROMPT_REJECTED, first.toString(), violations, null));
  }

  private static boolean isComplete(ImagePrompt prompt) {
    return (prompt.aspectRatio() != null || prompt.hDivW() != null)
        && !prompt.size().isEmpty()
        && prompt.seed() != null
        && !prompt.sampling().guidance().isEmpty()
        && !prompt.sampling().temperature().isEmpty()
        && prompt.sampling().topP() != null
        && prompt.numImages() != null
        && prompt.format() != null;
  }

  private static Outcome.Builder outcome(Lease lease, TaskRef task) {
    return Outcome.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setLeaseSecret(lease.getSecret())
        .setTask(task);
  }

  private static Outcome drawn(
      Lease lease, TaskRef task, PromptWork work, List<EncodedImage> images) {
    Outcome.Builder outcome =
        outcome(lease, task)
            .setImages(
                GeneratedImages.newBuilder()
                    .addAllImages(images.stream().map(LeasedWork::toMessage).toList()))
            .setBatchImages(work.batchImages())
            .setTimes(times(work.durations()));
    work.drawnText().ifPresent(text -> outcome.setDrawnText(drawnText(work, text)));
    return outcome.build();
  }

  private static GeneratedImage toMessage(EncodedImage image) {
    return GeneratedImage.newBuilder()
        .setIndex(image.index())
        .setWidth(image.pixels().width())
        .setHeight(image.pixels().height())
        .setFormat(PromptMessages.message(image.format()))
        .setSha256(UnsafeByteOperations.unsafeWrap(image.sha256()))
        .setSizeBytes(image.file().length)
        .setData(UnsafeByteOperations.unsafeWrap(image.file()))
        .build();
  }

  private static DrawnText drawnText(PromptWork work, String text) {
    DrawnText.Builder drawn =
        DrawnText.newBuilder().setText(text).setPositivePrompt(work.hasPositivePrompt());
    work.rewriting()
        .ifPresent(
            rewriting ->
                drawn.setRewriter(rewriting.rewriter()).setRewriteFailure(rewriting.failure()));
    return drawn.build();
  }

  private static Outcome failed(Lease lease, TaskRef task, Throwable failure) {
    return outcome(lease, task).setFailure(failure(failure)).build();
  }

  /** Another attempt can succeed unless the prompt itself is to blame. */
  private static TaskFailure failure(Throwable failure) {
    BitloomException error =
        GrpcErrors.unwrap(failure) instanceof BitloomException known
            ? known
            : new BitloomException(ErrorCode.INTERNAL, "an internal error of the worker");
    return TaskFailure.newBuilder()
        .setReason(error.code().name())
        .setMessage(error.getMessage())
        .setRetryable(error.code().fault() != ErrorCode.Fault.CALLER)
        .build();
  }

  private static StageTimes times(StageDurations durations) {
    return StageTimes.newBuilder()
        .setText(toMessage(durations.text()))
        .setTransformer(toMessage(durations.transformer()))
        .setDecode(toMessage(durations.decode()))
        .setEncode(toMessage(durations.encode()))
        .build();
  }

  private static Duration toMessage(java.time.Duration duration) {
    return Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }
}
