package io.bitloom.coordinator.api;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.grpc.GrpcErrors;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.dispatch.ModelRegistry;
import io.bitloom.coordinator.dispatch.Speeds;
import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.v1.EstimatePromptsRequest;
import io.bitloom.v1.EstimatePromptsResponse;
import io.bitloom.v1.InvalidPrompt;
import io.bitloom.v1.Job;
import io.bitloom.v1.Model;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ScheduleEstimate;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** One EstimatePrompts call. The next message is asked for when the one before is counted. */
final class EstimateCall implements StreamObserver<EstimatePromptsRequest> {

  private static final int SHOWN_VIOLATIONS = 100;

  /** Prompts and images of one schedule. */
  private static final class Count {
    private long prompts;
    private long images;
  }

  private final ServerCallStreamObserver<EstimatePromptsResponse> caller;
  private final ModelRegistry models;
  private final Speeds speeds;
  private final JobRules rules;
  private final Executor threads;

  private final SortedMap<String, Count> counts = new TreeMap<>();
  private final EstimatePromptsResponse.Builder estimate = EstimatePromptsResponse.newBuilder();
  private Job job;
  private CompletionStage<Model> model;
  private CompletionStage<Void> counted;
  private long offset;

  EstimateCall(
      ServerCallStreamObserver<EstimatePromptsResponse> caller,
      ModelRegistry models,
      Speeds speeds,
      JobRules rules,
      Executor threads) {
    this.caller = caller;
    this.models = models;
    this.speeds = speeds;
    this.rules = rules;
    this.threads = threads;
    caller.setOnCancelHandler(() -> {});
    caller.disableAutoRequest();
    caller.request(1);
  }

  @Override
  public void onNext(EstimatePromptsRequest message) {
    if (model == null) {
      job = message.getJob();
      rules.check(job);
      model = models.resolve(job.getModel());
    }
    JobRules.checkCount(message.getPromptsCount());
    counted = model.thenAcceptAsync(found -> count(found, message.getPromptsList()), threads);
    counted.whenComplete(
        (done, error) -> {
          if (error == null) {
            caller.request(1);
          } else {
            caller.onError(GrpcErrors.unwrap(error));
          }
        });
  }

  private void count(Model model, List<Prompt> prompts) {
    for (Prompt prompt : prompts) {
      List<FieldViolation> violations = new ArrayList<>(rules.check(prompt));
      if (violations.isEmpty()) {
        resolve(model, prompt, violations);
      }
      if (!violations.isEmpty()) {
        refuse(prompt, violations.get(0));
      }
      offset++;
    }
  }

  private void resolve(Model model, Prompt prompt, List<FieldViolation> violations) {
    PromptRules.Resolved resolved =
        PromptRules.resolve(
            prompt, job.getDefaults(), model.getDefaults(), model.getSizesList(), "", offset);
    violations.addAll(rules.check(resolved, model));
    if (violations.isEmpty()) {
      Count count = counts.computeIfAbsent(resolved.schedule().id(), id -> new Count());
      count.prompts++;
      count.images += resolved.prompt().getNumImages();
    }
  }

  private void refuse(Prompt prompt, FieldViolation violation) {
    estimate.setInvalidPrompts(estimate.getInvalidPrompts() + 1);
    if (estimate.getViolationsCount() < SHOWN_VIOLATIONS) {
      estimate.addViolations(
          InvalidPrompt.newBuilder()
              .setOffset(offset)
              .setCustomId(FieldViolation.shown(prompt.getCustomId()))
              .setField(violation.field())
              .setValue(violation.value())
              .setDescription(violation.message()));
    }
  }

  @Override
  public void onCompleted() {
    if (model == null) {
      throw BitloomException.invalid("job", "", "must be in the first message");
    }
    counted
        .thenCompose(done -> model)
        .thenCombine(speeds.table(), this::answer)
        .whenComplete(
            (answer, error) -> {
              if (error == null) {
                caller.onNext(answer);
                caller.onCompleted();
              } else {
                caller.onError(GrpcErrors.unwrap(error));
              }
            });
  }

  private EstimatePromptsResponse answer(Model model, Speeds.Table table) {
    double seconds = 0;
    boolean known = true;
    for (var entry : counts.entrySet()) {
      Count count = entry.getValue();
      Bucket bucket = new Bucket(model.getName(), entry.getKey());
      ScheduleEstimate.Builder schedule =
          estimate
              .addSchedulesBuilder()
              .setSchedule(entry.getKey())
              .setPrompts(count.prompts)
              .setImages(count.images)
              .setMeasured(table.measured(bucket));
      OptionalDouble perImage = table.of(bucket);
      known &= perImage.isPresent();
      if (perImage.isPresent()) {
        schedule.setGpuSeconds(perImage.getAsDouble() * count.images);
        seconds += schedule.getGpuSeconds();
      }
      estimate.setPrompts(estimate.getPrompts() + count.prompts);
      estimate.setImages(estimate.getImages() + count.images);
    }
    if (known) {
      estimate.setGpuSeconds(seconds);
    }
    return estimate.setModel(model.getName()).build();
  }

  @Override
  public void onError(Throwable broken) {
    // The caller left, and nothing was changed.
  }
}
