package io.bitloom.coordinator.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.coordinator.TestCoordinator;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SendBudgetTest {

  private static final Duration LONG = Duration.ofHours(1);

  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  private static SendBudget.Claim now(CompletableFuture<SendBudget.Claim> claim) throws Exception {
    return claim.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS);
  }

  private static CompletableFuture<SendBudget.Claim> claim(SendBudget budget, long bytes) {
    return budget.claim(bytes, () -> {}).toCompletableFuture();
  }

  @Test
  void readersWaitTheirTurnWhenAllIsTaken() throws Exception {
    SendBudget budget = new SendBudget(100, LONG, timer);
    SendBudget.Claim first = now(claim(budget, 60));
    SendBudget.Claim second = now(claim(budget, 40));
    CompletableFuture<SendBudget.Claim> third = claim(budget, 50);
    CompletableFuture<SendBudget.Claim> fourth = claim(budget, 1);
    budget.release(second);
    assertFalse(third.isDone());
    assertFalse(fourth.isDone());
    budget.release(first);
    now(third);
    now(fourth);
    assertEquals(51, budget.used());
  }

  @Test
  void oneMessageMayBeLargerThanTheBudget() throws Exception {
    SendBudget budget = new SendBudget(100, LONG, timer);
    SendBudget.Claim huge = now(claim(budget, 1000));
    CompletableFuture<SendBudget.Claim> next = claim(budget, 1);
    assertFalse(next.isDone());
    budget.release(huge);
    budget.release(huge);
    now(next);
    assertEquals(1, budget.used());
  }

  @Test
  void aReaderThatStallsIsCutOffOnlyWhenOthersWait() throws Exception {
    SendBudget budget = new SendBudget(100, Duration.ofMillis(50), timer);
    CompletableFuture<Void> stalledIsCutOff = new CompletableFuture<>();
    CompletableFuture<Void> laterIsCutOff = new CompletableFuture<>();
    budget.claim(60, () -> stalledIsCutOff.complete(null));
    Thread.sleep(120);
    assertFalse(stalledIsCutOff.isDone());
    now(budget.claim(40, () -> laterIsCutOff.complete(null)).toCompletableFuture());
    now(claim(budget, 60));
    assertTrue(
        stalledIsCutOff.isDone()
            || stalledIsCutOff.get(TestCoordinator.PATIENCE.toSeconds(), TimeUnit.SECONDS) == null);
    assertFalse(laterIsCutOff.isDone());
    assertEquals(100, budget.used());
  }
}
