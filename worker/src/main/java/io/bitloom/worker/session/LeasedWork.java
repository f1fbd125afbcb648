package io.bitloom.worker.session;

import com.google.protobuf.Duration;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.common.schedule.ScaleSchedule;
import io.bitloom.common.schedule.ScaleSchedules;
import io.bitloom.v1.Lease;
import io.bitloom.v1.Outcome;
import io.bitloom.v1.Preview;
import io.bitloom.v1.Progress;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import io.bitloom.worker.generate.BatchWork;
import io.bitloom.worker.generate.DrawnPrompt;
import io.bitloom.worker.generate.GenerationPipeline;
import io.bitloom.worker.generate.PromptWork;
import io.bitloom.worker.generate.StageDurations;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** Translates between leases and outcomes on the wire and the pipeline's prompts and images. */
final class LeasedWork {
  private final AnnouncedModel model;
  private final GenerationPipeline pipeline;

  /** The coordinator has limited the length of texts already. */
  private final PromptRules rules = new PromptRules(Integer.MAX_VALUE);

  LeasedWork(AnnouncedModel model, GenerationPipeline pipeline) {
    this.model = model;
    this.pipeline = pipeline;
  }

  /** Told on the device thread how a lease is coming along. */
  interface Listener {
    /**
     * @param asked whether the coordinator wants to hear of every scale
     */
    void progress(Progress progress, boolean asked);

    void preview(Preview preview);
  }

  /**
   * A lease in the pipeline.
   *
   * @param works prompts that are being drawn
   * @param outcomes what they come to, later; they never fail
   * @param refusals outcomes of the prompts that are not going to be drawn
   * @param drawn completes when the device is done with the lease
   */
  record Started(
      Map<TaskRef, PromptWork> works,
      List<CompletableFuture<Outcome>> outcomes,
      List<Outcome> refusals,
      CompletableFuture<Void> drawn) {}

  /** Hands the prompts of a lease to the pipeline, except those that cannot be drawn. */
  Started start(Lease lease, Listener listener) {
    Optional<ScaleSchedule> schedule =
        ScaleSchedules.find(lease.getSchedule())
            .filter(found -> lease.getModel().equals(model.name()) && model.draws(found));
    List<Task> drawable = new ArrayList<>();
    List<Outcome> refusals = new ArrayList<>();
    for (Task task : lease.getTasksList()) {
      Optional<BitloomException> refusal =
          schedule.isEmpty() ? Optional.of(wrongModel(lease)) : refusal(task, schedule.get());
      if (refusal.isPresent()) {
        refusals.add(outcome(lease, task.getRef(), null, refusal.get()));
      } else {
        drawable.add(task);
      }
    }
    if (drawable.isEmpty()) {
      return new Started(Map.of(), List.of(), refusals, CompletableFuture.completedFuture(null));
    }
    List<Prompt> prompts = drawable.stream().map(Task::getPrompt).toList();
    List<TaskRef> refs = drawable.stream().map(Task::getRef).toList();
    LeaseObserver observer = new LeaseObserver(lease, refs, listener);
    BatchWork batch = pipeline.submit(schedule.orElseThrow(), prompts, observer);
    Map<TaskRef, PromptWork> works = new LinkedHashMap<>();
    List<CompletableFuture<Outcome>> outcomes = new ArrayList<>();
    for (int i = 0; i < drawable.size(); i++) {
      TaskRef ref = refs.get(i);
      PromptWork work = batch.prompts().get(i);
      works.put(ref, work);
      outcomes.add(work.result().handle((drawn, failure) -> outcome(lease, ref, drawn, failure)));
    }
    return new Started(works, outcomes, refusals, batch.drawn());
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
    Prompt prompt = task.getPrompt();
    Optional<BitloomException> rejected = rejected(rules.check(prompt));
    if (rejected.isPresent()) {
      return rejected;
    }
    if (!isComplete(prompt) || !PromptRules.schedule(prompt).equals(schedule)) {
      return Optional.of(
          new BitloomException(
              ErrorCode.INTERNAL, "the prompt's defaults are not filled in for " + schedule));
    }
    return rejected(
        PromptRules.check(
            new PromptRules.Resolved(prompt, schedule),
            "",
            List.of(schedule.size().label()),
            model.blocks()));
  }

  private static Optional<BitloomException> rejected(List<FieldViolation> violations) {
    return violations.stream()
        .findFirst()
        .map(
            first ->
                new BitloomException(
                    ErrorCode.PROMPT_REJECTED, first.toString(), violations, null));
  }

  private static boolean isComplete(Prompt prompt) {
    return prompt.getShapeCase() != Prompt.ShapeCase.SHAPE_NOT_SET
        && !prompt.getSize().isEmpty()
        && prompt.hasSeed()
        && prompt.getSampling().getGuidanceCount() > 0
        && prompt.getSampling().getTemperatureCount() > 0
        && prompt.getSampling().hasTopP()
        && prompt.getNumImages() > 0
        && prompt.getFormat().getNumber() > 0;
  }

  private static Outcome outcome(Lease lease, TaskRef ref, DrawnPrompt drawn, Throwable failure) {
    Outcome.Builder outcome =
        Outcome.newBuilder()
            .setLeaseId(lease.getLeaseId())
            .setFencingToken(lease.getFencingToken())
            .setTask(ref);
    if (failure != null) {
      return outcome.setFailure(failure(failure)).build();
    }
    if (!drawn.text().getText().isEmpty()) {
      outcome.setDrawnText(drawn.text());
    }
    return outcome
        .setImages(drawn.images())
        .setBatchImages(drawn.batchImages())
        .setTimes(times(drawn.durations()))
        .build();
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
