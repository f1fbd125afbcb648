package io.bitloom.coordinator.jobs;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Memory for results that were handed to the transport and that their readers have not taken yet,
 * for all readers together. A reader that stalls keeps what it holds until others wait for it; then
 * the one that has stalled longest, and for long enough, is cut off. It can go on from its cursor.
 */
final class SendBudget {

  /** What one reader holds. */
  static final class Claim {
    private final long bytes;
    private final Runnable cutOff;
    private final long since = System.nanoTime();

    private Claim(long bytes, Runnable cutOff) {
      this.bytes = bytes;
      this.cutOff = cutOff;
    }
  }

  /** Results on their way to readers may take this part of the memory. */
  private static final int PART_OF_MEMORY = 4;

  private static final Duration LONGEST_STALL = Duration.ofSeconds(30);

  private record Waiting(Claim claim, CompletableFuture<Claim> granted) {}

  private final long limit;
  private final Duration longestStall;
  private final ScheduledExecutorService timer;

  // Guarded by this.
  private long used;
  private final Set<Claim> held = new LinkedHashSet<>();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private boolean checking;

  /**
   * @param limit bytes; a single message may be larger
   * @param longestStall how long a reader may stall while others wait
   * @param timer where waiting readers are told, too
   */
  SendBudget(long limit, Duration longestStall, ScheduledExecutorService timer) {
    this.limit = limit;
    this.longestStall = longestStall;
    this.timer = timer;
  }

  /** A part of the memory of this process. */
  static SendBudget ofMemory(ScheduledExecutorService timer) {
    return new SendBudget(Runtime.getRuntime().maxMemory() / PART_OF_MEMORY, LONGEST_STALL, timer);
  }

  /** Bytes that are held. */
  synchronized long used() {
    return used;
  }

  /**
   * Asks for memory, in turn with others.
   *
   * @param cutOff frees the memory by force; called at most once, and not after {@link #release}
   */
  CompletionStage<Claim> claim(long bytes, Runnable cutOff) {
    Claim claim = new Claim(bytes, cutOff);
    synchronized (this) {
      if (waiting.isEmpty() && fits(claim)) {
        hold(claim);
        return CompletableFuture.completedStage(claim);
      }
      Waiting turn = new Waiting(claim, new CompletableFuture<>());
      waiting.add(turn);
      checkAfter(longestStall);
      return turn.granted();
    }
  }

  /** Gives memory back. Without effect if that happened already. */
  synchronized void release(Claim claim) {
    if (!held.remove(claim)) {
      return;
    }
    used -= claim.bytes;
    while (!waiting.isEmpty() && fits(waiting.peek().claim())) {
      Waiting next = waiting.remove();
      hold(next.claim());
      timer.execute(() -> next.granted().complete(next.claim()));
    }
  }

  private boolean fits(Claim claim) {
    return used == 0 || used + claim.bytes <= limit;
  }

  private void hold(Claim claim) {
    used += claim.bytes;
    held.add(claim);
  }

  private void checkAfter(Duration delay) {
    if (!checking) {
      checking = true;
      timer.schedule(this::check, delay.toNanos(), TimeUnit.NANOSECONDS);
    }
  }

  private void check() {
    Claim longest;
    synchronized (this) {
      checking = false;
      if (waiting.isEmpty() || held.isEmpty()) {
        return;
      }
      longest = held.iterator().next();
      long left = longestStall.toNanos() - (System.nanoTime() - longest.since);
      checkAfter(Duration.ofNanos(Math.max(0, left)));
      if (left > 0) {
        return;
      }
      release(longest);
    }
    longest.cutOff.run();
  }
}
