package io.bitloom.worker.session;

import com.google.protobuf.Duration;
import com.google.protobuf.UnsafeByteOperations;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.grpc.LeasedTasks;
import io.bitloom.common.log.LogFields;
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
import io.bitloom.v1.HeldLease;
import io.bitloom.v1.Lease;
import io.bitloom.v1.PromptOutcome;
import io.bitloom.v1.StageTimes;
import io.bitloom.v1.Task;
import io.bitloom.v1.TaskFailure;
import io.bitloom.v1.TaskRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Translates between leases and outcomes on the wire and the engine's prompts and images. */
final class LeasedWork {
  private static final Logger log = LoggerFactory.getLogger(LeasedWork.class);

  /** A prompt's place in its lease, and its name. */
  private record Place(HeldLease lease, int index, TaskRef task) {}

  private final Engine engine;
  private final String name;
  private final WorkerTraces traces;
  private final ModelDirectory model;

  /** The coordinator has limited the length of texts already. */
  private final PromptRules rules = new PromptRules(Integer.MAX_VALUE);

  /**
   * @param name by which leases name the model
   */
  LeasedWork(Engine engine, String name, WorkerTraces traces) {
    this.engine = engine;
    this.name = name;
    this.traces = traces;
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
      Consumer<LeasedOutcome> finished) {
    long came = traces.now();
    HeldLease held = held(lease);
    ledger.add(held);
    List<Task> tasks;
    try {
      tasks = LeasedTasks.of(lease);
    } catch (BitloomException e) {
      refuseAll(lease, held, e, ledger);
      return CompletableFuture.completedFuture(null);
    }
    Optional<ScaleSchedule> schedule =
        ScaleSchedules.find(lease.getSchedule())
            .filter(found -> lease.getModel().equals(name) && model.sizes().contains(found.size()));
    List<Place> places = new ArrayList<>();
    List<ImagePrompt> prompts = new ArrayList<>();
    for (int index = 0; index < tasks.size(); index++) {
      Task task = tasks.get(index);
      Place place = new Place(held, index, task.getRef());
      Optional<BitloomException> refusal =
          schedule.isEmpty() ? Optional.of(wrongModel(lease)) : refusal(task, schedule.get());
      if (refusal.isPresent()) {
        refuse(place, refusal.get(), ledger);
      } else {
        places.add(place);
        prompts.add(PromptMessages.prompt(task.getPrompt()));
      }
    }
    if (places.isEmpty()) {
      return CompletableFuture.completedFuture(null);
    }
    LeaseObserver observer =
        new LeaseObserver(lease, places.stream().map(Place::task).toList(), display);
    Submission submission = engine.submit(schedule.orElseThrow(), prompts, observer);
    for (int i = 0; i < places.size(); i++) {
      Place place = places.get(i);
      PromptWork work = submission.prompts().get(i);
      ledger.add(lease.getLeaseId(), place.index(), place.task(), work);
      work.result()
          .handle(
              (images, failure) ->
                  failure == null ? drawn(place, work, images) : failed(place, failure))
          .thenAccept(
              outcome -> {
                if (traces.on()) {
                  traces.drawn(held, schedule.orElseThrow(), place.task(), work);
                }
                finished.accept(outcome);
              });
    }
    return traces.on()
        ? submission
            .drawn()
            .thenRun(() -> traces.batch(lease, places.stream().map(Place::task).toList(), came))
        : submission.drawn();
  }

  private static HeldLease held(Lease lease) {
    return HeldLease.newBuilder()
        .setLeaseId(lease.getLeaseId())
        .setFencingToken(lease.getFencingToken())
        .setSecret(lease.getSecret())
        .setModel(lease.getModel())
        .setSchedule(lease.getSchedule())
        .build();
  }

  /**
   * A lease that is broken fails with all of its prompts, so that others may try them at once, and
   * those who want them hear why in the end; the worker goes on.
   */
  private static void refuseAll(
      Lease lease, HeldLease held, BitloomException broken, LeaseLedger ledger) {
    log.atError()
        .addKeyValue(LogFields.LEASE, lease.getLeaseId())
        .log("nothing is drawn of a lease that is broken: {}", broken.getMessage());
    BitloomException refusal =
        new BitloomException(ErrorCode.INTERNAL, broken.getMessage(), broken);
    List<TaskRef> tasks = LeasedTasks.refs(lease);
    for (int index = 0; index < tasks.size(); index++) {
      refuse(new Place(held, index, tasks.get(index)), refusal, ledger);
    }
  }

  private static void refuse(Place place, BitloomException refusal, LeaseLedger ledger) {
    ledger.add(place.lease().getLeaseId(), place.index(), place.task(), null);
    ledger.finished(failed(place, refusal));
  }

  private BitloomException wrongModel(Lease lease) {
    return new BitloomException(
        ErrorCode.INTERNAL,
        "this worker draws "
            + name
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

  private LeasedOutcome drawn(Place place, PromptWork work, List<EncodedImage> images) {
    PromptOutcome.Builder outcome =
        PromptOutcome.newBuilder()
            .setIndex(place.index())
            .setImages(
                GeneratedImages.newBuilder()
                    .addAllImages(images.stream().map(LeasedWork::toMessage).toList()));
    work.drawnText().ifPresent(text -> outcome.setDrawnText(drawnText(work, text)));
    return new LeasedOutcome(
        place.lease(),
        place.task(),
        outcome.build(),
        work.batchImages(),
        times(work.durations()),
        traces.now());
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

  private static LeasedOutcome failed(Place place, Throwable failure) {
    PromptOutcome outcome =
        PromptOutcome.newBuilder().setIndex(place.index()).setFailure(failure(failure)).build();
    return new LeasedOutcome(
        place.lease(), place.task(), outcome, 0, StageTimes.getDefaultInstance(), 0);
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
