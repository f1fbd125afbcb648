package io.bitloom.coordinator.jobs;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.coordinator.jobs.PromptPlace.Section;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.PromptStore;
import io.bitloom.coordinator.queue.ResultLog;
import io.bitloom.coordinator.queue.ResultRecord;
import io.bitloom.coordinator.queue.WaitingPage;
import io.bitloom.v1.Prompt;
import io.bitloom.v1.PromptResult;
import io.bitloom.v1.PromptState;
import io.bitloom.v1.PromptStatus;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * Goes through the prompts of a job a few at a time: those without an outcome, then the outcomes.
 * What ends on the way is met in the second part, so that nothing is missed.
 */
final class PromptWalk {

  /** Prompts that are looked at in one step. */
  static final int STEP = 256;

  private static final Set<PromptState> OPEN =
      EnumSet.of(PromptState.PROMPT_STATE_QUEUED, PromptState.PROMPT_STATE_RUNNING);
  private static final Set<PromptState> FAILED = EnumSet.of(PromptState.PROMPT_STATE_FAILED);

  private final PromptStore prompts;
  private final ResultLog results;
  private final String jobId;
  private final List<Section> sections;

  /**
   * @param states that are looked for: parts of the list in which there are none are passed over
   */
  PromptWalk(PromptStore prompts, ResultLog results, String jobId, Set<PromptState> states) {
    this.prompts = prompts;
    this.results = results;
    this.jobId = jobId;
    this.sections = sections(states);
  }

  private static List<Section> sections(Set<PromptState> states) {
    Set<PromptState> ended = EnumSet.noneOf(PromptState.class);
    ended.addAll(states);
    List<Section> sections = new ArrayList<>();
    if (ended.removeAll(OPEN)) {
      sections.add(Section.WAITING);
    }
    if (!ended.isEmpty()) {
      sections.add(FAILED.containsAll(ended) ? Section.FAILURES : Section.RESULTS);
    }
    return sections;
  }

  /**
   * A prompt on the way.
   *
   * @param outcome if it has one
   * @param behind where to go on after it
   */
  record Met(PromptStatus status, Optional<ResultRecord> outcome, PromptPlace behind) {}

  /**
   * What one step met.
   *
   * @param next where to go on; empty: this was the end
   */
  record Step(List<Met> prompts, Optional<PromptPlace> next) {}

  /** Empty if there is nothing to look at. */
  Optional<PromptPlace> start() {
    return sections.stream().findFirst().map(PromptPlace::startOf);
  }

  CompletionStage<Step> step(PromptPlace from) {
    return switch (from.section()) {
      case WAITING -> prompts.waiting(jobId, from.waiting(), STEP).thenApply(this::waiting);
      case FAILURES ->
          results
              .failures(jobId, from.at(), STEP)
              .thenApply(
                  failed ->
                      outcomes(
                          Section.FAILURES,
                          failed.stream().map(ResultLog.Failed::result).toList(),
                          failed.stream().map(ResultLog.Failed::behind).toList()));
      case RESULTS ->
          results
              .read(jobId, from.at(), STEP)
              .thenApply(
                  records ->
                      outcomes(
                          Section.RESULTS,
                          records,
                          records.stream().map(ResultRecord::cursor).toList()));
    };
  }

  private Step waiting(WaitingPage page) {
    List<Met> met =
        page.prompts().stream()
            .map(prompt -> new Met(status(prompt), Optional.empty(), PromptPlace.of(prompt.next())))
            .toList();
    Optional<PromptPlace> next = page.next().map(PromptPlace::of);
    return new Step(met, next.isPresent() ? next : after(Section.WAITING));
  }

  private Optional<PromptPlace> after(Section section) {
    int next = sections.indexOf(section) + 1;
    return next < sections.size()
        ? Optional.of(PromptPlace.startOf(sections.get(next)))
        : Optional.empty();
  }

  private Step outcomes(Section section, List<ResultRecord> records, List<Cursor> behind) {
    List<Met> met = new ArrayList<>();
    for (ResultRecord record : records) {
      PromptPlace place = new PromptPlace(section, behind.get(met.size()), 0);
      met.add(new Met(status(record), Optional.of(record), place));
    }
    return new Step(
        met, met.isEmpty() ? Optional.empty() : Optional.of(met.get(met.size() - 1).behind()));
  }

  private static PromptStatus status(WaitingPage.Prompt waiting) {
    Prompt prompt = prompt(waiting.offset(), waiting.payload());
    return PromptStatus.newBuilder()
        .setOffset(waiting.offset())
        .setCustomId(prompt.getCustomId())
        .setState(
            waiting.running() ? PromptState.PROMPT_STATE_RUNNING : PromptState.PROMPT_STATE_QUEUED)
        .setPrompt(prompt)
        .build();
  }

  private static Prompt prompt(long offset, ByteString payload) {
    try {
      return Prompt.parseFrom(payload);
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("the prompt at " + offset + " is broken", e);
    }
  }

  private PromptStatus status(ResultRecord record) {
    PromptResult result = ResultReader.describe(jobId, record).getResult();
    PromptStatus.Builder status =
        PromptStatus.newBuilder()
            .setOffset(result.getOffset())
            .setCustomId(result.getCustomId())
            .setState(state(record))
            .setPrompt(result.getProvenance().getPrompt())
            .setImages(result.getImages().getImagesCount())
            .setEndTime(result.getProvenance().getCommitTime());
    if (result.hasFailure()) {
      status.setFailure(result.getFailure());
    }
    return status.build();
  }

  private static PromptState state(ResultRecord record) {
    return switch (record.status()) {
      case SUCCEEDED -> PromptState.PROMPT_STATE_SUCCEEDED;
      case FAILED, LOST -> PromptState.PROMPT_STATE_FAILED;
      case CANCELLED -> PromptState.PROMPT_STATE_CANCELLED;
      case EXPIRED -> PromptState.PROMPT_STATE_EXPIRED;
    };
  }
}
