package io.bitloom.coordinator.chores;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptLineReader.BadLine;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.v1.BadInputLine;
import io.bitloom.v1.InputPhase;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobInputProgress;
import java.time.Duration;
import java.util.Optional;

/** Tells callers how far the reading of an object is, and notes where to go on, now and then. */
final class InputTelling {

  private static final Duration PAUSE = Duration.ofSeconds(1);
  private static final int SHOWN_LINES = 20;
  private static final int SHOWN_CHARACTERS = 400;

  private final Chores chores;
  private final Hold hold;
  private final JobInputProgress.Builder progress;
  private InputPlace place;
  private long toldNanos = System.nanoTime() - PAUSE.toNanos();

  /**
   * @param from where to go on, as it was noted last
   * @param told the same of what was told
   */
  InputTelling(Chores chores, Hold hold, InputPlace from, JobInputProgress told) {
    this.chores = chores;
    this.hold = hold;
    this.place = from;
    this.progress = told.toBuilder();
  }

  /** Another phase begins; it is told at once. */
  void begin(InputPhase phase, InputPlace from, ObjectBytes object) {
    progress
        .setPhase(phase)
        .setBytes(object.size())
        .setPromptsTotal(from.total())
        .clearBadLines()
        .clearViolations()
        .clearObstacle();
    place = from;
    at(from, object.position(), from.prompts());
    tell();
  }

  void badLine(BadLine line) {
    progress.setBadLines(progress.getBadLines() + 1);
    if (progress.getViolationsCount() < SHOWN_LINES) {
      progress.addViolations(
          BadInputLine.newBuilder()
              .setLine(line.line())
              .setField(FieldViolation.shown(line.field()))
              .setValue(FieldViolation.shown(line.value()))
              .setDescription(shortened(line.message())));
    }
  }

  long badLines() {
    return progress.getBadLines();
  }

  private static String shortened(String text) {
    int end = Math.min(text.length(), SHOWN_CHARACTERS);
    boolean half = end < text.length() && Character.isHighSurrogate(text.charAt(end - 1));
    return text.substring(0, half ? end - 1 : end) + (end < text.length() ? "…" : "");
  }

  /** So far it is; told if the last time is a while ago. */
  void at(InputPlace now, long bytesRead, long prompts) {
    place = now;
    progress.setBytesRead(bytesRead).setPrompts(prompts);
    if (System.nanoTime() - toldNanos > PAUSE.toNanos()) {
      tell();
    }
  }

  /**
   * Something is in the way, or, by an empty text, nothing any more; told at once if it is news.
   */
  void obstacle(String what) {
    if (!progress.getObstacle().equals(what)) {
      progress.setObstacle(what);
      tellIfPossible();
    }
  }

  /** What is in the way may be the queue itself. */
  private void tellIfPossible() {
    chores.note(hold.claim(), place.toString(), told());
  }

  private void tell() {
    toldNanos = System.nanoTime();
    accepted(
        hold.patiently(() -> chores.note(hold.claim(), place.toString(), told()), ignored -> {}));
  }

  /** All prompts were queued before, if the job is sealed. */
  void endIf(boolean sealed) {
    if (sealed && progress.getPhase() == InputPhase.INPUT_PHASE_APPENDING) {
      progress.setPrompts(progress.getPromptsTotal());
      done(progress.getBytes());
    }
  }

  /** All prompts are queued. */
  void done(long bytes) {
    progress.setPhase(InputPhase.INPUT_PHASE_DONE).setBytesRead(bytes).clearObstacle();
    hold.patiently(() -> chores.note(hold.claim(), place.toString(), told()), ignored -> {});
  }

  /** Nothing more is queued, and the job ends as failed when it is cancelled. */
  void refuse(String error) {
    progress.setPhase(InputPhase.INPUT_PHASE_REFUSED).setError(shortened(error)).clearObstacle();
    place = place.refused();
    accepted(
        hold.patiently(() -> chores.refuse(hold.claim(), place.toString(), told()), ignored -> {}));
  }

  /** Of a job that was cancelled meanwhile nothing is wanted any more. */
  private void accepted(Optional<Chores.Progress> noted) {
    if (noted.isEmpty() || !ObjectJobs.takesPrompts(noted.get().state())) {
      throw hold.lost();
    }
  }

  private ByteString told() {
    return Job.newBuilder().setInputProgress(progress).build().toByteString();
  }
}
