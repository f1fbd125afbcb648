package io.bitloom.coordinator.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.bitloom.common.error.BitloomException;
import io.bitloom.coordinator.auth.WorkerRights;
import java.time.Clock;
import org.junit.jupiter.api.Test;

class TrainingMeetingsTest {
  private static final WorkerRights ANYBODY = WorkerRights.unrestricted("");

  private final TrainingMeetings meetings = new TrainingMeetings(Clock.systemUTC());

  @Test
  void theOthersLearnTheAddressOfTheFirstAndThenTheMeetingIsOver() {
    assertEquals("", meetings.come(ANYBODY, "a", 1, 3, ""));
    assertEquals("10.0.0.1:77", meetings.come(ANYBODY, "a", 0, 3, "10.0.0.1:77"));
    assertEquals("10.0.0.1:77", meetings.come(ANYBODY, "a", 1, 3, ""));
    assertEquals("", meetings.come(ANYBODY, "b", 1, 3, ""));
    assertEquals("10.0.0.1:77", meetings.come(ANYBODY, "a", 2, 3, ""));
    assertEquals("", meetings.come(ANYBODY, "a", 1, 3, ""));
  }

  @Test
  void aFirstProcessThatStartsAgainHasItsNewAddress() {
    meetings.come(ANYBODY, "a", 0, 2, "host:1");
    meetings.come(ANYBODY, "a", 0, 2, "host:2");
    assertEquals("host:2", meetings.come(ANYBODY, "a", 1, 2, ""));
  }

  @Test
  void whatIsOutOfRangeIsNamed() {
    assertRefused("group", "a b", 0, 2, "host:1");
    assertRefused("rank", "a", 2, 2, "");
    assertRefused("count", "a", 0, 0, "host:1");
    assertRefused("address", "a", 0, 2, "host");
    assertRefused("address", "a", 1, 2, "host:1");
  }

  private void assertRefused(String field, String group, int rank, int count, String address) {
    BitloomException fault =
        assertThrows(
            BitloomException.class, () -> meetings.come(ANYBODY, group, rank, count, address));
    assertEquals(field, fault.violations().get(0).field());
  }
}
