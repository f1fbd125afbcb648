package io.bitloom.engine.tensor;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The one long-lived thread on which all libtorch work of a device runs: PyTorch leaks memory for
 * every new thread, and its scopes and guards belong to a thread.
 *
 * <p>Every task runs in a {@link Scope} of its own, so it returns Java values, or tensors taken out
 * with {@link Scope#own}. Tasks run in the order of submission.
 */
public final class DeviceThread implements AutoCloseable {
  private final TorchDevice device;
  private final ExecutorService executor;
  private volatile Thread thread;

  /** Starts the thread of a device. */
  public DeviceThread(TorchDevice device) {
    this.device = device;
    this.executor =
        Executors.newSingleThreadExecutor(
            task -> {
              thread = new Thread(task, "device-" + device);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Work that ends with a value or with an exception of a known kind. */
  @FunctionalInterface
  public interface Task<T, E extends Exception> {
    /** Does the work. */
    T run() throws E;
  }

  /** The device whose thread this is. */
  public TorchDevice device() {
    return device;
  }

  /**
   * Runs a task on the device thread and waits for its result; runs it at once when called from
   * that thread. An interrupt does not end the wait, because the device would go on computing; it
   * is visible to the caller afterwards.
   *
   * @throws E what the task throws
   */
  public <T, E extends Exception> T call(Task<T, E> task) throws E {
    if (Thread.currentThread() == thread) {
      return inScope(task);
    }
    CompletableFuture<T> result = submit(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return result.get();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (ExecutionException e) {
          throw DeviceThread.<E>asThrown(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Queues a task; the future fails with what the task throws. */
  public <T, E extends Exception> CompletableFuture<T> submit(Task<T, E> task) {
    CompletableFuture<T> result = new CompletableFuture<>();
    executor.execute(
        () -> {
          try {
            result.complete(inScope(task));
          } catch (Throwable e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  private static <T, E extends Exception> T inScope(Task<T, E> task) throws E {
    try (Scope scope = Scope.open()) {
      return task.run();
    }
  }

  /** A task throws E or something unchecked, so the cast holds wherever it is checked. */
  @SuppressWarnings("unchecked")
  private static <E extends Exception> E asThrown(Throwable thrown) {
    if (thrown instanceof Error) {
      throw (Error) thrown;
    }
    return (E) thrown;
  }

  /** Takes no more tasks, lets those that were submitted finish, and ends the thread. */
  @Override
  public void close() {
    executor.shutdown();
    if (Thread.currentThread() == thread) {
      return;
    }
    boolean interrupted = false;
    while (true) {
      try {
        if (executor.awaitTermination(1, TimeUnit.MINUTES)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
