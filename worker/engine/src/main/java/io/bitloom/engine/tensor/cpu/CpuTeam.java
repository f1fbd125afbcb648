package io.bitloom.engine.tensor.cpu;

import io.bitloom.engine.tensor.LibTorch;
import io.bitloom.engine.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.global.torch;

/**
 * Computes independent pieces of one operation side by side, each on one CPU core.
 *
 * <p>libtorch divides every single operator among its threads, which then wait for each other: for
 * a chain of small operators that is half of the time, and some operators (batched matrix products)
 * are not divided at all. Whole pieces of a chain need no waiting, and what a piece computes stays
 * in its core's cache.
 *
 * <p>The threads live as long as the process, because PyTorch leaks memory for every new one.
 */
public final class CpuTeam {
  private static final ThreadPoolExecutor THREADS =
      new ThreadPoolExecutor(
          1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), CpuTeam::newThread);
  private static final ThreadLocal<Boolean> MEMBER = ThreadLocal.withInitial(() -> false);

  private static int ready;

  private CpuTeam() {}

  /** Number of pieces that run at the same time: {@link LibTorch#threads()}, or 1 in a piece. */
  public static int size() {
    return MEMBER.get() ? 1 : LibTorch.threads();
  }

  /**
   * Runs {@code piece} for 0 to {@code pieces - 1} and waits for all of them. Each piece runs in
   * inference mode and in a {@link Scope} of its own, so it leaves its results in tensors that the
   * caller made.
   *
   * @throws RuntimeException what a piece threw, when all have ended
   */
  public static void run(int pieces, IntConsumer piece) {
    int threads = Math.min(size(), pieces);
    AtomicInteger next = new AtomicInteger();
    Runnable share =
        () -> {
          try (InferenceMode inference = new InferenceMode(true)) {
            for (int i = next.getAndIncrement(); i < pieces; i = next.getAndIncrement()) {
              try (Scope scope = Scope.open()) {
                piece.accept(i);
              }
            }
          }
        };
    if (size() == 1) {
      share.run();
      return;
    }
    prepare(size());
    List<Future<?>> shares = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      shares.add(THREADS.submit(share));
    }
    await(shares);
  }

  private static void await(List<Future<?>> shares) {
    RuntimeException failure = null;
    boolean interrupted = false;
    for (Future<?> share : shares) {
      boolean ended = false;
      while (!ended) {
        try {
          share.get();
          ended = true;
        } catch (InterruptedException e) {
          interrupted = true; // the pieces go on computing
        } catch (ExecutionException e) {
          ended = true;
          failure = asThrown(e.getCause());
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
  }

  private static RuntimeException asThrown(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return (RuntimeException) thrown;
  }

  /** Starts the threads that are missing and makes their operators run on one core each. */
  private static synchronized void prepare(int threads) {
    if (ready >= threads) {
      return;
    }
    int operatorThreads = LibTorch.threads();
    THREADS.setMaximumPoolSize(threads);
    THREADS.setCorePoolSize(threads);
    CountDownLatch met = new CountDownLatch(threads);
    List<Future<?>> starts = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      starts.add(
          THREADS.submit(
              () -> {
                MEMBER.set(true);
                LibTorch.threads(); // a thread's first operator would undo an earlier setting
                torch.set_num_threads(1);
                met.countDown();
                met.await(); // so that every thread takes one of these tasks
                return null;
              }));
    }
    await(starts);
    torch.set_num_threads(operatorThreads); // new threads of others take over the last setting
    ready = threads;
  }

  private static Thread newThread(Runnable task) {
    Thread thread = new Thread(task, "cpu-team");
    thread.setDaemon(true);
    return thread;
  }
}
