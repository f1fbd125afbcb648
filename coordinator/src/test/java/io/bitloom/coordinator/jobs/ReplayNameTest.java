package io.bitloom.coordinator.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.bitloom.v1.Job;
import org.junit.jupiter.api.Test;

class ReplayNameTest {

  private static final Job CATS = Job.newBuilder().setDisplayName("cats").build();

  @Test
  void replaysAreNumberedAfterTheFirstJob() {
    assertEquals("cats replay 1", ReplayName.of(CATS, "x", false));
    assertEquals("cats replay 1 with cancelled", ReplayName.of(CATS, "x", true));
    assertEquals("cats replay 2", ReplayName.of(replay("cats replay 1"), "x", false));
    assertEquals(
        "cats replay 10", ReplayName.of(replay("cats replay 9 with cancelled"), "x", false));
  }

  @Test
  void aJobWithoutANameIsCalledByItsId() {
    assertEquals("x replay 1", ReplayName.of(Job.getDefaultInstance(), "x", false));
  }

  @Test
  void aJobThatIsOnlyNamedLikeAReplayIsTheFirst() {
    Job named = Job.newBuilder().setDisplayName("cats replay 1").build();

    assertEquals("cats replay 1 replay 1", ReplayName.of(named, "x", false));
  }

  @Test
  void aLongNameIsShortenedToWhatAJobMayHave() {
    Job longest = Job.newBuilder().setDisplayName("🐈".repeat(JobRules.MAX_DISPLAY_NAME)).build();

    String name = ReplayName.of(longest, "x", false);

    assertEquals(JobRules.MAX_DISPLAY_NAME, name.codePointCount(0, name.length()));
    assertEquals("🐈 replay 1", name.substring(name.length() - "🐈 replay 1".length()));
  }

  private static Job replay(String name) {
    return Job.newBuilder().setDisplayName(name).setReplayOf("jobs/before").build();
  }
}
