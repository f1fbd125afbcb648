package io.bitloom.coordinator.dispatch;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.resilience.RetryPolicy;
import io.bitloom.coordinator.telemetry.LoopMetrics;
import io.github.resilience4j.retry.Retry;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that has all state of matching and of workers' streams; it never blocks.
 *
 * <p>Whatever runs in it comes in through here, and what it throws is reported here. Thrown in the
 * callback of a future, or in a task of an executor, it would be seen by nobody, and who waits for
 * what the callback was to do would wait for ever. So nobody else gets the executor.
 */
public final class DispatchLoop implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(DispatchLoop.class);
  private static final Consumer<Throwable> NOBODY = thrown -> {};

  /** After so many tasks in a row, timers that are due have their turn. */
  private static final int MOST_IN_A_ROW = 256;

  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(1, task -> new Thread(task, "dispatch"));

  /** In the order in which they came. The executor's own queue takes a lock for each of them. */
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();

  /** Whether the thread has been told that there are tasks. */
  private final AtomicBoolean called = new AtomicBoolean();

  private final LoopMetrics metrics;

  /** When it was told last. Written before that, by whoever tells it. */
  private volatile long calledNanos;

  public DispatchLoop(LoopMetrics metrics) {
    this.metrics = metrics;
    thread.setRemoveOnCancelPolicy(true);
  }

  /** Runs a task in the loop. */
  public void execute(Runnable task) {
    execute(task, NOBODY);
  }

  /**
   * Runs a task in the loop.
   *
   * @param onThrown gets what it throws after that was reported
   */
  public void execute(Runnable task, Consumer<Throwable> onThrown) {
    if (!offered(() -> guard(task, onThrown))) {
      log.debug("The dispatch loop has ended");
    }
  }

  private boolean offered(Runnable guarded) {
    tasks.add(guarded);
    return !thread.isShutdown() && callThread();
  }

  private boolean callThread() {
    if (!called.get() && called.compareAndSet(false, true)) {
      calledNanos = System.nanoTime();
      try {
        thread.execute(this::runTasks);
      } catch (RejectedExecutionException e) {
        return false;
      }
    }
    return true;
  }

  private void runTasks() {
    long begin = System.nanoTime();
    long waited = begin - calledNanos;
    int count = 0;
    Runnable task = tasks.poll();
    while (task != null) {
      task.run();
      count++;
      task = count < MOST_IN_A_ROW ? tasks.poll() : null;
    }
    metrics.ran(waited, count, System.nanoTime() - begin);
    called.set(false);
    if (!tasks.isEmpty()) {
      callThread();
    }
  }

  /** Runs a task in the loop after a while, unless it is cancelled before. */
  public Future<?> schedule(Runnable task, Duration delay) {
    try {
      return thread.schedule(() -> runTimed(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      log.debug("The dispatch loop has ended");
      return CompletableFuture.completedFuture(null);
    }
  }

  /** Repeats a task in the loop until the loop ends. */
  public void every(Duration interval, Runnable task) {
    long nanos = interval.toNanos();
    thread.scheduleWithFixedDelay(() -> runTimed(task), nanos, nanos, TimeUnit.NANOSECONDS);
  }

  private void runTimed(Runnable task) {
    long begin = System.nanoTime();
    guard(task, NOBODY);
    metrics.busy(1, System.nanoTime() - begin);
  }

  /** Runs a part of a task, now; what it throws is reported and ends this part alone. */
  public void guard(Runnable part) {
    guard(part, NOBODY);
  }

  /**
   * Runs a part of a task, now.
   *
   * @param onThrown gets what it throws after that was reported
   */
  public void guard(Runnable part, Consumer<Throwable> onThrown) {
    try {
      part.run();
    } catch (Throwable e) { // an Error as well: nobody else would hear of it
      log.error("The dispatch loop goes on after an error", e);
      try {
        onThrown.accept(e);
      } catch (Throwable again) {
        log.error("The dispatch loop goes on after a second error", again);
      }
    }
  }

  /** Makes a call and continues in the loop with its value or its error. */
  public <T> void after(
      Supplier<CompletionStage<T>> call, BiConsumer<? super T, Throwable> continuation) {
    after(call, continuation, NOBODY);
  }

  /**
   * Makes a call and continues in the loop with its value or its error.
   *
   * @param onThrown gets what the continuation throws, in the loop, after that was reported: for
   *     those to whom it matters that the continuation did not do its work
   */
  public <T> void after(
      Supplier<CompletionStage<T>> call,
      BiConsumer<? super T, Throwable> continuation,
      Consumer<Throwable> onThrown) {
    made(call)
        .whenComplete((value, error) -> execute(() -> continuation.accept(value, error), onThrown));
  }

  /** Makes a call, in the loop, again and again as {@code retry} says. */
  public <T> CompletionStage<T> retrying(Retry retry, Supplier<CompletionStage<T>> call) {
    return retry.executeCompletionStage(thread, () -> made(call));
  }

  /** A question that is answered in the loop; fails with {@code SHUTTING_DOWN} after its end. */
  public <T> CompletionStage<T> ask(Supplier<T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    Runnable answering = () -> answer.complete(question.get());
    if (!offered(() -> guard(answering, answer::completeExceptionally))) {
      answer.completeExceptionally(
          new BitloomException(ErrorCode.SHUTTING_DOWN, "this coordinator stops"));
    }
    return answer;
  }

  /** A stage even where the call throws instead of making one. */
  private static <T> CompletionStage<T> made(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (Throwable e) { // whoever waits for the stage hears of an Error, too
      return CompletableFuture.failedStage(e);
    }
  }

  /** Makes a call for whose answer nobody waits, and reports its error. */
  public static <T> void callAndReport(String what, Supplier<CompletionStage<T>> call) {
    made(call)
        .whenComplete(
            (done, error) -> {
              if (error != null) {
                report(what, error);
              }
            });
  }

  /**
   * Reports the error of a call to the queue. Nothing is lost by it: leases expire, and what waits
   * is looked at again.
   */
  public static void report(String what, Throwable error) {
    if (RetryPolicy.unavailable(error)) {
      log.debug("Cannot {}: {}", what, error.toString());
    } else {
      log.error("Cannot {}", what, error);
    }
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
