package io.bitloom.coordinator.chores;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.queue.Chores.Claim;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A claim in the hands of the thread that works on it. */
final class Hold {

  private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private final Claim claim;
  private final CountDownLatch over = new CountDownLatch(1);

  Hold(Claim claim) {
    this.claim = claim;
  }

  /** The claim is another's, or this coordinator stops: nothing more is to be done here. */
  static final class OverException extends RuntimeException {

    private static final long serialVersionUID = 1;

    private OverException() {
      super("the claim is over", null, false, false);
    }
  }

  Claim claim() {
    return claim;
  }

  String jobId() {
    return claim.jobId();
  }

  /** From now on nothing more is done. */
  void end() {
    over.countDown();
  }

  boolean isOver() {
    return over.getCount() == 0;
  }

  /**
   * @throws OverException if nothing more is to be done
   */
  void check() {
    if (isOver()) {
      throw new OverException();
    }
  }

  /** Says that it has turned out to be another's. */
  OverException lost() {
    end();
    return new OverException();
  }

  /**
   * Waits before the next attempt, longer after more failures.
   *
   * @throws OverException if nothing more is to be done
   */
  void pause(int failures) {
    long millis = FIRST_PAUSE.toMillis() << Math.min(failures, 10);
    pause(Duration.ofMillis(Math.min(millis, LONGEST_PAUSE.toMillis())));
  }

  private void pause(Duration time) {
    try {
      if (over.await(time.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new OverException();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw lost();
    }
  }

  /**
   * What a call comes to that is repeated as long as it fails for want of something that can come
   * back.
   *
   * @param obstacle told what is in the way, and then that nothing is any more, by an empty text
   * @throws OverException if nothing more is to be done
   * @throws BitloomException with which the call failed otherwise
   */
  <T> T patiently(Supplier<CompletionStage<T>> call, Consumer<String> obstacle) {
    check();
    return patiently(begun(call), call, obstacle);
  }

  /**
   * As {@link #patiently(Supplier, Consumer)}.
   *
   * @param begun the first attempt
   * @param again makes the others
   */
  <T> T patiently(
      CompletionStage<T> begun, Supplier<CompletionStage<T>> again, Consumer<String> obstacle) {
    CompletionStage<T> attempt = begun;
    for (int failures = 0; ; failures++) {
      try {
        T result = join(attempt);
        if (failures > 0) {
          obstacle.accept("");
        }
        return result;
      } catch (BitloomException e) {
        if (!passes(e)) {
          throw e;
        }
        obstacle.accept(e.getMessage());
      }
      pause(failures);
      attempt = begun(again);
    }
  }

  private static <T> CompletionStage<T> begun(Supplier<CompletionStage<T>> call) {
    try {
      return call.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /** Whether what failed may work later. A job that is too large stays so. */
  private static boolean passes(BitloomException e) {
    boolean forGood = e.exhausted().filter(limit -> limit.limit().equals("job_bytes")).isPresent();
    return !forGood
        && (e.code().fault() == ErrorCode.Fault.RESOURCE || e.code() == ErrorCode.MODEL_NOT_FOUND);
  }

  static <T> T join(CompletionStage<T> stage) {
    try {
      return stage.toCompletableFuture().join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw e;
    }
  }
}
