package io.bitloom.coordinator.queue.redis;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/**
 * Lets what is appended to one part of a job be there before anything is appended to the next part,
 * so that a call which fails leaves no gap before prompts that are there. To one part calls go at
 * once: Redis keeps their order.
 */
final class AppendOrder {

  private static final class Line {
    private int part;
    private int underWay;
    private final Deque<Call<?>> behind = new ArrayDeque<>();
  }

  private record Call<T>(
      int part, Supplier<CompletionStage<T>> call, CompletableFuture<T> answer) {}

  private final Map<String, Line> lines = new HashMap<>(); // by job; guarded by this

  /** Makes a call as soon as those before it for other parts of the job have been answered. */
  <T> CompletionStage<T> in(String jobId, int part, Supplier<CompletionStage<T>> call) {
    Call<T> next = new Call<>(part, call, new CompletableFuture<>());
    synchronized (this) {
      Line line = lines.computeIfAbsent(jobId, id -> new Line());
      if (line.underWay > 0 && (line.part != part || !line.behind.isEmpty())) {
        line.behind.add(next);
        return next.answer();
      }
      line.part = part;
      line.underWay++;
      make(jobId, next);
    }
    return next.answer();
  }

  /** Under the lock, so that calls are made in their order. */
  private <T> void make(String jobId, Call<T> next) {
    made(next.call())
        .whenComplete(
            (value, e) -> {
              if (e != null) {
                next.answer().completeExceptionally(e);
              } else {
                next.answer().complete(value);
              }
              answered(jobId); // those behind may build on the answer
            });
  }

  private static <T> CompletionStage<T> made(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private synchronized void answered(String jobId) {
    Line line = lines.get(jobId);
    if (--line.underWay > 0) {
      return;
    }
    if (line.behind.isEmpty()) {
      lines.remove(jobId);
      return;
    }
    line.part = line.behind.peek().part();
    while (!line.behind.isEmpty() && line.behind.peek().part() == line.part) {
      line.underWay++;
      make(jobId, line.behind.remove());
    }
  }
}
