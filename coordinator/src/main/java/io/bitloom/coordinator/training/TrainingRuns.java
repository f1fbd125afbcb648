package io.bitloom.coordinator.training;

import com.google.protobuf.ByteString;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.TrainingPicture;
import io.bitloom.v1.TrainingRun;
import io.bitloom.v1.TrainingState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The last state of training runs, in memory: processes report whole states every few seconds, so a
 * coordinator that starts again soon knows those that go on. With several coordinators each knows
 * the runs that report to it. A run belongs to the token that reported it first. Used by several
 * threads.
 */
public final class TrainingRuns {
  private static final int MAX_RUNS_OF_A_TOKEN = 50;
  private static final int MAX_TEXT = 200;
  private static final int MAX_POINTS = 2000;
  private static final int MAX_NUMBERS = 500;
  private static final int MAX_PICTURE_BYTES = 4 << 20;
  private static final Duration SILENCE = Duration.ofSeconds(20);
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final ByteString PNG =
      ByteString.copyFrom(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});

  private final Clock clock;
  private final Map<String, Entry> runs = new LinkedHashMap<>();

  /**
   * A run as it is known.
   *
   * @param run its last report
   * @param picture its last sample grid; empty before the first
   * @param reported when the last report came
   * @param silent whether it should have reported again by now
   * @param stopping whether it was asked to stop and has not done so yet
   */
  public record Known(
      TrainingRun run,
      Optional<TrainingPicture> picture,
      Instant reported,
      boolean silent,
      boolean stopping) {}

  /** What is answered to a report. */
  public record Answer(boolean stop, long pictureStep) {}

  private record Entry(
      String token,
      TrainingRun run,
      Optional<TrainingPicture> picture,
      Instant reported,
      boolean stop) {
    private boolean isRunning() {
      return run.getState() == TrainingState.TRAINING_STATE_RUNNING;
    }
  }

  /** No runs yet. */
  public TrainingRuns(Clock clock) {
    this.clock = clock;
  }

  /**
   * Takes a report.
   *
   * @param token of the process, as {@link io.bitloom.coordinator.auth.WorkerRights} has it
   * @param picture a newer sample grid, if there is one
   * @throws BitloomException naming the field that is wrong; {@code PERMISSION_DENIED} if the run
   *     belongs to another token
   */
  public synchronized Answer report(
      String token, TrainingRun run, Optional<TrainingPicture> picture) {
    check(run);
    picture.ifPresent(TrainingRuns::check);
    Entry before = runs.get(run.getId());
    if (before != null && !before.token().equals(token)) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED,
          "training run \"" + run.getId() + "\" belongs to another token");
    }
    runs.remove(run.getId()); // to the end of the order
    boolean sameProcess = before != null && before.run().getProcess().equals(run.getProcess());
    Optional<TrainingPicture> shown =
        picture.isPresent() || before == null ? picture : before.picture();
    boolean stop = sameProcess && before.stop();
    runs.put(run.getId(), new Entry(token, run, shown, clock.instant(), stop));
    List<String> ofToken =
        runs.keySet().stream().filter(id -> runs.get(id).token().equals(token)).toList();
    if (ofToken.size() > MAX_RUNS_OF_A_TOKEN) {
      runs.remove(ofToken.get(0));
    }
    return new Answer(stop, shown.map(TrainingPicture::getStep).orElse(0L));
  }

  /** All runs, those that go on first, then by their last report. */
  public synchronized List<Known> all() {
    Instant now = clock.instant();
    List<Known> all = new ArrayList<>();
    runs.values().forEach(entry -> all.add(known(entry, now)));
    all.sort(
        Comparator.comparing(
                (Known known) -> known.run().getState() == TrainingState.TRAINING_STATE_RUNNING)
            .thenComparing(Known::reported)
            .reversed());
    return all;
  }

  /**
   * A run.
   *
   * @throws BitloomException if it is not known
   */
  public synchronized Known get(String id) {
    return known(entry(id), clock.instant());
  }

  /**
   * Asks a run to end with a checkpoint, which its process learns with its next report.
   *
   * @throws BitloomException if it is not known, or has ended
   */
  public synchronized Known stop(String id) {
    Entry entry = entry(id);
    if (!entry.isRunning()) {
      throw new BitloomException(
          ErrorCode.TRAINING_RUN_ENDED, "the training run " + id + " has ended already");
    }
    Entry stopping = new Entry(entry.token(), entry.run(), entry.picture(), entry.reported(), true);
    runs.put(id, stopping);
    return known(stopping, clock.instant());
  }

  private Entry entry(String id) {
    Entry entry = runs.get(id);
    if (entry == null) {
      throw new BitloomException(
          ErrorCode.TRAINING_RUN_NOT_FOUND, "there is no training run \"" + id + "\"");
    }
    return entry;
  }

  private static Known known(Entry entry, Instant now) {
    boolean silent =
        entry.isRunning() && Duration.between(entry.reported(), now).compareTo(SILENCE) > 0;
    return new Known(
        entry.run(), entry.picture(), entry.reported(), silent, entry.isRunning() && entry.stop());
  }

  private static void check(TrainingRun run) {
    require(ID.matcher(run.getId()).matches(), "run.id", run.getId(), "letters, digits, dashes");
    require(
        ID.matcher(run.getProcess()).matches(),
        "run.process",
        run.getProcess(),
        "letters, digits, dashes");
    for (String text : List.of(run.getName(), run.getMode(), run.getPlace())) {
      require(text.length() <= MAX_TEXT, "run", text, "texts of at most " + MAX_TEXT);
    }
    require(
        run.getState() != TrainingState.TRAINING_STATE_UNSPECIFIED
            && run.getState() != TrainingState.UNRECOGNIZED,
        "run.state",
        run.getStateValue(),
        "a known state");
    require(
        run.getStep() >= 0 && run.getSteps() >= run.getStep(),
        "run.step",
        run.getStep(),
        "0 to run.steps");
    require(
        run.getTrainingCount() <= MAX_POINTS && run.getValidationCount() <= MAX_POINTS,
        "run.training",
        run.getTrainingCount(),
        "at most " + MAX_POINTS + " points");
    require(
        run.getNumbersCount() <= MAX_NUMBERS
            && run.getNumbersMap().keySet().stream().allMatch(name -> name.length() <= MAX_TEXT),
        "run.numbers",
        run.getNumbersCount(),
        "at most " + MAX_NUMBERS);
  }

  private static void check(TrainingPicture picture) {
    require(
        picture.getPng().size() <= MAX_PICTURE_BYTES && picture.getPng().startsWith(PNG),
        "picture.png",
        picture.getPng().size() + " bytes",
        "a PNG of at most 4 MiB");
    require(picture.getStep() > 0, "picture.step", picture.getStep(), "at least 1");
  }

  private static void require(boolean holds, String field, Object value, String expected) {
    if (!holds) {
      throw BitloomException.invalid(field, String.valueOf(value), "must be " + expected);
    }
  }
}
