package io.bitloom.coordinator.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JobConditionsTest {

  private static final JobRecord JOB =
      new JobRecord(
          "abc",
          "art",
          7,
          JobMessages.bytes(
              Job.newBuilder()
                  .setDisplayName("Red \"Foxes\"")
                  .setModel("infinity-2b")
                  .putLabels("team", "art")
                  .putLabels("a b", "x")
                  .build()),
          Map.of(),
          JobState.JOB_STATE_RUNNING,
          new JobRecord.Counts(1, 1, 0, 0, 0, 0, 0),
          new JobRecord.Images(1, 0),
          Instant.parse("2026-02-01T12:00:00Z"),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty());

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      value = {
        "'' | true",
        "state = RUNNING | true",
        "state=running | true",
        "state != JOB_STATE_RUNNING | false",
        "model = infinity-2b | true",
        "model : 2B | true",
        "display_name = \"Red \\\"Foxes\\\"\" | true",
        "display_name : fox | true",
        "display_name = \"Red*\" | true",
        "model = inf* | true",
        "model != inf* | false",
        "model = 2b* | false",
        "name = jobs/abc | true",
        "labels.team = art | true",
        "labels.team != art | false",
        "labels.\"a b\" = x | true",
        "labels.team:* | true",
        "labels.none:* | false",
        "labels.none = \"\" | true",
        "priority >= 7 AND priority < 9 | true",
        "priority > 7 | false",
        "create_time > \"2026-01-31T00:00:00Z\" | true",
        "create_time < 2026-01-31T00:00:00Z | false",
        "state = RUNNING  AND   labels.team=art AND model:inf | true",
        "state = RUNNING AND labels.team = law | false"
      })
  void conditionsHoldOrNot(String filter, boolean holds) {
    assertEquals(holds, JobConditions.parse(filter).test(JOB));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "state | at character 1",
        "state = | at character 1",
        "state = RUNNING OR state = PAUSED | AND or the end at character 17",
        "state = RUNNING AND | AND or the end at character 17",
        "state = RUNNING AND AND | at character 21",
        "state = DONE | must have a state of a job such as RUNNING, and has DONE",
        "state > RUNNING | must compare state by = or !=, and has >",
        "colour = red | must name state, model, display_name",
        "labels = x | must name the label",
        "model.x = 1 | must not have .x behind model",
        "priority = high | must compare priority with a whole number, and has high",
        "create_time > yesterday | must compare create_time with a time",
        "create_time : 1 | must compare create_time with a time",
        "display_name = \"open | at character 1",
        "(state = RUNNING) | at character 1"
      })
  void aWrongFilterSaysWhereAndWhy(String filter, String message) {
    BitloomException e = assertThrows(BitloomException.class, () -> JobConditions.parse(filter));
    assertEquals("filter", e.violations().get(0).field());
    assertTrue(e.getMessage().contains(message), e.getMessage());
  }

  @Test
  void hugeFiltersAreRefusedAtOnce() {
    for (String filter :
        new String[] {"x".repeat(5000), "state=RUNNING AND ".repeat(40) + "state=RUNNING"}) {
      assertThrows(BitloomException.class, () -> JobConditions.parse(filter));
    }
  }
}
