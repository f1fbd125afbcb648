package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import io.bitloom.v1.JobState;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JobRecordTest {

  /** Times in ms, of which all but the first may be absent. */
  private static JobRecord job(
      Long created, Long sealed, Long started, Long ended, Optional<WebhookState> webhook) {
    return new JobRecord(
        "id",
        "tenant",
        5,
        ByteString.EMPTY,
        Map.of(),
        JobState.JOB_STATE_RUNNING,
        new JobRecord.Counts(0, 0, 0, 0, 0, 0, 0),
        new JobRecord.Images(0, 0),
        Instant.ofEpochMilli(created),
        Optional.empty(),
        time(sealed),
        time(started),
        time(ended),
        webhook);
  }

  private static Optional<Instant> time(Long millis) {
    return Optional.ofNullable(millis).map(Instant::ofEpochMilli);
  }

  private static Optional<WebhookState> told(Milestone... told) {
    return Optional.of(new WebhookState(Set.of(told), Set.of(), false, 0, 0, Optional.empty(), ""));
  }

  @ParameterizedTest
  @CsvSource({
    "1,  ,  ,  , c",
    "1, 2, 3, 4, csre",
    "1, 3, 2, 4, crse", // prompts are drawn before all are there
    "1, 1, 1, 1, csre",
    "1,  , 2, 3, cre", // cancelled before it was sealed
    "1, 2,  , 2, cse",
    "5, 2, 9, 7, csre" // of a part of the job, by the clock of another server
  })
  void whatBecameOfAJobIsToldInOrder(
      Long created, Long sealed, Long started, Long ended, String letters) {
    List<Milestone> untold = job(created, sealed, started, ended, told()).untold();
    assertEquals(letters, Milestone.letters(untold));
  }

  @Test
  void whatIsToldIsNotToldAgain() {
    assertEquals(
        List.of(Milestone.SEALED),
        job(1L, 3L, 2L, null, told(Milestone.CREATED, Milestone.STARTED)).untold());
    assertEquals(List.of(), job(1L, 2L, 3L, 4L, Optional.empty()).untold());
  }

  @Test
  void lettersOfLaterVersionsAreLeftOut() {
    assertEquals(Set.of(Milestone.CREATED, Milestone.ENDED), Milestone.of("c?eX"));
  }
}
