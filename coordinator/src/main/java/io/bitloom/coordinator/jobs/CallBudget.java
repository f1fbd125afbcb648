package io.bitloom.coordinator.jobs;

import java.util.concurrent.CompletionStage;

/** What one call holds of the {@link SendBudget}: one message at a time, and none after its end. */
final class CallBudget {

  private final SendBudget budget;
  private final Runnable cutOff;

  // Guarded by this.
  private SendBudget.Claim claim;
  private boolean ended;

  /**
   * @param cutOff ends the call by force, because its reader stalls and others wait
   */
  CallBudget(SendBudget budget, Runnable cutOff) {
    this.budget = budget;
    this.cutOff = cutOff;
  }

  /** Waits until there is memory for a message; that of the one before must have been let go. */
  CompletionStage<Void> claim(long bytes) {
    return budget.claim(bytes, cutOff).thenAccept(this::hold);
  }

  private synchronized void hold(SendBudget.Claim granted) {
    if (ended) {
      budget.release(granted);
    } else {
      claim = granted;
    }
  }

  synchronized void letGo() {
    if (claim != null) {
      budget.release(claim);
      claim = null;
    }
  }

  /** Lets go, also of what is granted only now. */
  synchronized void end() {
    ended = true;
    letGo();
  }
}
