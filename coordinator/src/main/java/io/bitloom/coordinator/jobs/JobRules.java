package io.bitloom.coordinator.jobs;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptRules;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.v1.AppendPromptsRequest;
import io.bitloom.v1.CreateJobRequest;
import io.bitloom.v1.GetLimitsResponse;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.ListJobsRequest;
import io.bitloom.v1.Model;
import io.bitloom.v1.OutcomeKind;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.ReadResultsRequest;
import io.bitloom.v1.UpdateJobRequest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Checks requests before they touch anything. */
final class JobRules {

  static final int MAX_DISPLAY_NAME = 200;
  private static final int MAX_REQUEST_ID = 128;
  private static final int MAX_MODEL_NAME = 128;
  private static final int MAX_LABELS = 32;
  private static final int MAX_LABEL = 128;
  private static final int MAX_PRIORITY = 9;
  private static final int MAX_PAGE_SIZE = 1000;
  private static final int DEFAULT_PAGE_SIZE = 50;
  private static final int MAX_PROMPTS = 10_000;
  private static final String CHANGEABLE = "priority, display_name, labels or webhook_url";

  /** A message with thousands of bad prompts need not be checked to its end. */
  private static final int ENOUGH_VIOLATIONS = 100;

  private static final Duration MIN_WINDOW = Duration.newBuilder().setSeconds(1).build();
  private static final Duration MAX_WINDOW = Duration.newBuilder().setSeconds(366 * 86_400).build();

  private final LimitsConfig limits;
  private final PromptRules prompts;

  JobRules(LimitsConfig limits) {
    this.limits = limits;
    this.prompts = new PromptRules(limits.promptCharacters());
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} with all that is wrong
   */
  void check(CreateJobRequest request) {
    List<FieldViolation> violations = new ArrayList<>();
    PromptRules.checkLabel("request_id", request.getRequestId(), MAX_REQUEST_ID, violations);
    check(request.getJob(), violations);
    throwIfAny(violations);
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} with what is wrong with a job to be created
   */
  void check(Job job) {
    List<FieldViolation> violations = new ArrayList<>();
    check(job, violations);
    throwIfAny(violations);
  }

  private void check(Job job, List<FieldViolation> violations) {
    PromptRules.checkLabel("job.display_name", job.getDisplayName(), MAX_DISPLAY_NAME, violations);
    PromptRules.checkLabel("job.model", job.getModel(), MAX_MODEL_NAME, violations);
    checkPriority(job, violations);
    checkLabels(job.getLabelsMap(), violations);
    checkWindow(job, violations);
    prompts.checkDefaults(job.getDefaults()).stream()
        .map(violation -> violation.in("job.defaults"))
        .forEach(violations::add);
  }

  private static void checkPriority(Job job, List<FieldViolation> violations) {
    if (job.hasPriority() && (job.getPriority() < 0 || job.getPriority() > MAX_PRIORITY)) {
      violations.add(
          FieldViolation.of("job.priority", job.getPriority(), "must be 0 to " + MAX_PRIORITY));
    }
  }

  private static void checkWindow(Job job, List<FieldViolation> violations) {
    if (!job.hasCompletionWindow()) {
      return;
    }
    Duration window = job.getCompletionWindow();
    if (!Durations.isValid(window)
        || Durations.compare(window, MIN_WINDOW) < 0
        || Durations.compare(window, MAX_WINDOW) > 0) {
      violations.add(
          FieldViolation.of(
              "job.completion_window",
              window.getSeconds() + " s " + window.getNanos() + " ns",
              "must be 1 second to 366 days"));
    }
  }

  /**
   * What a request changes.
   *
   * @return paths in {@link JobMessages}, at least one
   * @throws BitloomException {@code INVALID_FIELD} with all that is wrong
   */
  static Set<String> changes(UpdateJobRequest request) {
    Job job = request.getJob();
    Set<String> paths = new LinkedHashSet<>(request.getUpdateMask().getPathsList());
    if (paths.isEmpty()) {
      addIf(job.hasPriority(), JobMessages.PRIORITY, paths);
      addIf(!job.getDisplayName().isEmpty(), JobMessages.DISPLAY_NAME, paths);
      addIf(job.getLabelsCount() > 0, JobMessages.LABELS, paths);
      addIf(!job.getWebhookUrl().isEmpty(), JobMessages.WEBHOOK_URL, paths);
    }
    if (paths.isEmpty()) {
      throw BitloomException.invalid("update_mask", "", "must name " + CHANGEABLE);
    }
    List<FieldViolation> violations = new ArrayList<>();
    for (String path : paths) {
      switch (path) {
        case JobMessages.PRIORITY -> {
          if (!job.hasPriority()) {
            violations.add(FieldViolation.of("job.priority", "", "must be there"));
          }
          checkPriority(job, violations);
        }
        case JobMessages.DISPLAY_NAME ->
            PromptRules.checkLabel(
                "job.display_name", job.getDisplayName(), MAX_DISPLAY_NAME, violations);
        case JobMessages.WEBHOOK_URL -> {} // by the receivers that its tenant may have
        case JobMessages.LABELS -> checkLabels(job.getLabelsMap(), violations);
        default ->
            violations.add(
                FieldViolation.of(
                    "update_mask",
                    path,
                    "must be " + CHANGEABLE + ", nothing else can be changed"));
      }
    }
    throwIfAny(violations);
    return paths;
  }

  private static void addIf(boolean there, String path, Set<String> paths) {
    if (there) {
      paths.add(path);
    }
  }

  /** All that is wrong with what a prompt is to be drawn as. */
  List<FieldViolation> check(PromptRules.Resolved resolved, Model model) {
    List<FieldViolation> violations =
        new ArrayList<>(
            PromptRules.check(resolved, model.getName(), model.getSizesList(), model.getBlocks()));
    int bytes = resolved.prompt().getSerializedSize();
    if (bytes > limits.promptBytes()) {
      violations.add(
          FieldViolation.of(
              "prompt",
              bytes + " bytes",
              "must have at most "
                  + limits.promptBytes()
                  + " bytes with all its fields here"
                  + " (prompt-bytes)"));
    }
    int images = resolved.prompt().getNumImages();
    if (images > limits.imagesPerPrompt()) {
      violations.add(
          FieldViolation.of(
              "num_images", images, "must be at most " + limits.imagesPerPrompt() + " here"));
    }
    return violations;
  }

  private static void checkLabels(Map<String, String> labels, List<FieldViolation> violations) {
    if (labels.size() > MAX_LABELS) {
      violations.add(
          FieldViolation.of(
              "job.labels",
              labels.size() + " labels",
              "must have at most " + MAX_LABELS + " labels"));
      return;
    }
    labels.forEach(
        (key, value) -> {
          if (key.isEmpty()) {
            violations.add(FieldViolation.of("job.labels", key, "must not have an empty key"));
          }
          PromptRules.checkLabel("job.labels", key, MAX_LABEL, violations);
          String field = "job.labels[" + FieldViolation.shown(key) + "]";
          PromptRules.checkLabel(field, value, MAX_LABEL, violations);
        });
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} with what is wrong, by {@code prompts[i]}
   */
  void check(AppendPromptsRequest chunk) {
    if (chunk.getOffset() < 0) {
      throw BitloomException.invalid("offset", chunk.getOffset(), "must not be negative");
    }
    checkCount(chunk.getPromptsCount());
    List<FieldViolation> violations = new ArrayList<>();
    for (int i = 0; i < chunk.getPromptsCount() && violations.size() < ENOUGH_VIOLATIONS; i++) {
      for (FieldViolation violation : prompts.check(chunk.getPrompts(i))) {
        violations.add(violation.in("prompts[" + i + "]"));
      }
    }
    throwIfAny(violations);
  }

  /** How many prompts one message has. */
  static void checkCount(int prompts) {
    if (prompts > MAX_PROMPTS) {
      throw BitloomException.invalid(
          "prompts",
          prompts + " prompts",
          "must have at most " + MAX_PROMPTS + " prompts in one message");
    }
  }

  /** All that is wrong with a prompt on its own. */
  List<FieldViolation> check(Prompt prompt) {
    return prompts.check(prompt);
  }

  /** The limits in words for callers. */
  GetLimitsResponse limitsOf(Caller caller) {
    return GetLimitsResponse.newBuilder()
        .setTenant(caller.tenant())
        .setPromptCharacters(limits.promptCharacters())
        .setImagesPerPrompt(limits.imagesPerPrompt())
        .setOpenJobs(caller.limits().openJobs())
        .setQueuedPrompts(caller.limits().queuedPrompts())
        .setPromptsPerSecond(caller.limits().promptsPerSecond())
        .setPromptsPerMessage(MAX_PROMPTS)
        .setPromptBytes(limits.promptBytes())
        .setSpecBytes(limits.specBytes())
        .setJobBytes(caller.limits().jobBytes())
        .setQueueBytes(caller.limits().queueBytes())
        .setResultBytes(caller.limits().resultBytes())
        .build();
  }

  /**
   * @param asked 0 for the default
   */
  static int pageSize(int asked) {
    int size = asked == 0 ? DEFAULT_PAGE_SIZE : asked;
    if (size < 1 || size > MAX_PAGE_SIZE) {
      throw BitloomException.invalid("page_size", size, "must be 1 to " + MAX_PAGE_SIZE);
    }
    return size;
  }

  static Set<OutcomeKind> outcomes(ReadResultsRequest request) {
    Set<OutcomeKind> kinds = EnumSet.noneOf(OutcomeKind.class);
    for (int i = 0; i < request.getOutcomesCount(); i++) {
      OutcomeKind kind = request.getOutcomes(i);
      if (kind == OutcomeKind.UNRECOGNIZED || kind == OutcomeKind.OUTCOME_KIND_UNSPECIFIED) {
        throw BitloomException.invalid(
            "outcomes[" + i + "]", request.getOutcomesValue(i), "must be a kind of outcome");
      }
      kinds.add(kind);
    }
    return kinds;
  }

  static Set<JobState> states(ListJobsRequest request) {
    Set<JobState> states = EnumSet.noneOf(JobState.class);
    for (int i = 0; i < request.getStatesCount(); i++) {
      JobState state = request.getStates(i);
      if (state == JobState.UNRECOGNIZED || state == JobState.JOB_STATE_UNSPECIFIED) {
        throw BitloomException.invalid(
            "states[" + i + "]", request.getStatesValue(i), "must be a state of a job");
      }
      states.add(state);
    }
    return states;
  }

  static void throwIfAny(List<FieldViolation> violations) {
    if (!violations.isEmpty()) {
      throw BitloomException.invalid(violations);
    }
  }
}
