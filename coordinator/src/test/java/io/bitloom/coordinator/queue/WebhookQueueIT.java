package io.bitloom.coordinator.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Who is to be told of jobs, as Redis keeps it. */
class WebhookQueueIT extends QueueFixture {

  private static final Duration LONG = Duration.ofMinutes(10);

  private String hookedJob() {
    NewJob job =
        new NewJob(
            "tenant",
            "",
            1,
            5,
            bytes("spec"),
            Optional.empty(),
            TenantLimits.NONE,
            NewJob.First.NONE,
            false,
            true);
    return await(queue.jobs().create(job)).id();
  }

  private List<WebhookQueue.Claim> claim(Duration lasts) {
    return await(queue.webhooks().claim(8, lasts)).claims();
  }

  /** Waits until the job is due, which is said a moment after it changed. */
  private WebhookQueue.Claim claimOf(String job, Duration lasts) throws InterruptedException {
    WebhookQueue.Claim[] found = new WebhookQueue.Claim[1];
    awaitTrue(
        "the job is due",
        () -> {
          claim(lasts).stream().filter(c -> c.jobId().equals(job)).forEach(c -> found[0] = c);
          return found[0] != null;
        });
    return found[0];
  }

  private WebhookState state(String job) {
    return await(queue.jobs().get(job)).webhook().orElseThrow();
  }

  private void fail(String job, Milestone milestone, int before, Optional<Duration> again) {
    await(
        queue
            .webhooks()
            .failed(
                job,
                milestone,
                new WebhookQueue.Failure(
                    before,
                    before + 1,
                    again,
                    "why",
                    again.isPresent() ? List.of() : List.of(milestone),
                    false)));
  }

  @Test
  void aJobOfWhichNobodyIsToldIsNotThere() {
    newJob();
    assertEquals(List.of(), claim(LONG));
    assertEquals(Optional.empty(), await(queue.webhooks().claim(8, LONG)).next());
  }

  @Test
  void whileOneHasAJobNoOtherGetsItAlsoIfMoreBecomesOfIt() throws Exception {
    String job = hookedJob();
    WebhookQueue.Claim claim = claimOf(job, LONG);
    assertTrue(claim.listed());
    await(queue.jobs().seal(job, OptionalLong.empty())); // which ends it, too
    assertEquals(List.of(), claim(LONG));
    await(queue.webhooks().rest(claim));
    assertEquals(job, claimOf(job, LONG).jobId(), "it is due at once: it was changed meanwhile");
  }

  @Test
  void aJobIsNotDroppedIfMoreBecameOfIt() throws Exception {
    String job = hookedJob();
    WebhookQueue.Claim claim = claimOf(job, LONG);
    await(queue.jobs().tellAgain(job, Map.of()));
    await(queue.webhooks().drop(claim));
    claim = claimOf(job, LONG);
    await(queue.webhooks().drop(claim));
    assertEquals(Optional.empty(), await(queue.webhooks().claim(8, LONG)).next());
  }

  @Test
  void aClaimThatIsOverIsAnothersAndItsReleaseChangesNothing() throws Exception {
    String job = hookedJob();
    WebhookQueue.Claim late = claimOf(job, Duration.ofMillis(1));
    WebhookQueue.Claim now = claimOf(job, LONG);
    await(queue.webhooks().drop(late));
    await(queue.webhooks().release(late, Duration.ZERO));
    assertEquals(List.of(), claim(LONG));
    await(queue.webhooks().release(now, Duration.ZERO));
    assertEquals(job, claimOf(job, LONG).jobId());
  }

  @Test
  void whatWasToldOnceIsNoNewsAndAFailureThatComesLateDoesNotCount() {
    String job = hookedJob();
    assertTrue(await(queue.webhooks().told(job, Milestone.CREATED)));
    assertFalse(await(queue.webhooks().told(job, Milestone.CREATED)));
    fail(job, Milestone.CREATED, 0, Optional.of(LONG));
    assertEquals(0, state(job).failures());
    assertEquals(Set.of(Milestone.CREATED), state(job).told());
    assertEquals(List.of(), await(queue.jobs().get(job)).untold());
  }

  @Test
  void ofTwoAttemptsAtTheSameTimeOneFailureCounts() {
    String job = hookedJob();
    fail(job, Milestone.CREATED, 0, Optional.of(LONG));
    fail(job, Milestone.CREATED, 0, Optional.of(LONG));
    assertEquals(1, state(job).tries());
    assertEquals(1, state(job).failures());
    assertTrue(state(job).next().isPresent());
    assertEquals("why", state(job).error());
  }

  @Test
  void whatWasGivenUpBeginsAnewWhenSomebodyAsks() {
    String job = hookedJob();
    fail(job, Milestone.CREATED, 0, Optional.empty());
    assertEquals(Set.of(Milestone.CREATED), state(job).givenUp());
    assertFalse(state(job).next().isPresent());
    await(queue.jobs().tellAgain(job, Map.of()));
    assertEquals(Set.of(), state(job).givenUp());
    assertEquals(0, state(job).tries());
    assertEquals(1, state(job).failures());
  }

  @Test
  void aJobThatIsDeletedIsNotListedWhenItIsLookedAt() throws Exception {
    String job = hookedJob();
    await(queue.jobs().cancel(job));
    await(queue.jobs().delete(job, id -> CompletableFuture.completedStage(null)));
    assertFalse(claimOf(job, LONG).listed());
  }
}
