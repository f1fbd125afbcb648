package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.Chores.Claim;
import io.bitloom.coordinator.queue.Chores.Kind;
import io.bitloom.v1.JobState;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ChoresIT extends QueueFixture {

  private static final Duration LONG = Duration.ofMinutes(10);
  private static final ByteString TOLD = ByteString.copyFromUtf8("told");

  private String listed() {
    String job = newJob("tenant", 1, 5);
    await(queue.chores().add(Kind.INPUT, job));
    return job;
  }

  private List<Claim> takeOn(Duration lasts) {
    return await(queue.chores().takeOn(Kind.INPUT, 10, lasts));
  }

  @Test
  void oneAtATimeHasAChore() {
    String job = listed();
    List<Claim> claims = takeOn(LONG);
    assertEquals(List.of(job), claims.stream().map(Claim::jobId).toList());
    assertEquals(List.of(), takeOn(LONG));
    await(queue.chores().add(Kind.INPUT, job));
    assertEquals(List.of(), takeOn(LONG));
    assertTrue(await(queue.chores().keep(claims.get(0), LONG)));
    await(queue.chores().giveBack(claims.get(0), Duration.ZERO));
    assertEquals(1, takeOn(LONG).size());
  }

  @Test
  void whoIsFollowedByAnotherCanSayNothingMore() {
    String job = listed();
    Claim first = takeOn(Duration.ZERO).get(0);
    assertEquals("", await(queue.chores().begin(first)).orElseThrow().place());
    await(queue.chores().note(first, "7", TOLD));
    Claim second = takeOn(LONG).get(0);
    assertTrue(second.token() > first.token());

    assertFalse(await(queue.chores().keep(first, LONG)));
    // Until the second one says something, what the first one says is still true.
    assertTrue(await(queue.chores().note(first, "8", TOLD)).isPresent());
    assertEquals("8", await(queue.chores().begin(second)).orElseThrow().place());
    assertEquals(Optional.empty(), await(queue.chores().note(first, "9", TOLD)));
    assertEquals(Optional.empty(), await(queue.chores().refuse(first, "9", TOLD)));
    await(queue.chores().done(first));
    Chores.Progress now = await(queue.chores().begin(second)).orElseThrow();
    assertEquals("8", now.place());
    assertEquals(Optional.of(TOLD), now.told());
    assertEquals(TOLD, await(queue.jobs().get(job)).changes().get("input"));
    assertTrue(await(queue.chores().keep(second, LONG)));

    await(queue.chores().done(second));
    assertFalse(await(queue.chores().keep(second, LONG)));
    assertEquals(List.of(), takeOn(LONG));
  }

  @Test
  void aRefusedJobEndsAsFailedWhenItIsCancelledAndOthersDoNot() {
    String refused = listed();
    Claim claim = takeOn(LONG).get(0);
    await(queue.chores().refuse(claim, "", TOLD));
    assertEquals(JobState.JOB_STATE_ACCEPTING, await(queue.jobs().get(refused)).state());
    assertEquals(JobState.JOB_STATE_FAILED, await(queue.jobs().cancel(refused)).state());

    String cancelled = listed();
    assertEquals(JobState.JOB_STATE_CANCELLED, await(queue.jobs().cancel(cancelled)).state());
    Claim late = takeOn(LONG).get(0);
    await(queue.chores().refuse(late, "", TOLD));
    assertEquals(JobState.JOB_STATE_CANCELLED, await(queue.jobs().get(cancelled)).state());
  }

  @Test
  void nothingIsNotedOfAJobThatIsNotThere() {
    Claim claim = new Claim(Kind.INPUT, "nothing", 1);
    assertEquals(Optional.empty(), await(queue.chores().begin(claim)));
  }
}
