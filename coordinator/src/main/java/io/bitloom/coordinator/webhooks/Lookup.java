package io.bitloom.coordinator.webhooks;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Finds the address at which a receiver is called. It is the one that was checked: the name is not
 * looked up again, so that it cannot mean another host by then.
 */
final class Lookup implements AutoCloseable {

  /** Twice as many as there are attempts: a name server that is silent outlasts an attempt. */
  private static final int MOST_THREADS = 128;

  /** Who knows the addresses of hosts. May block. */
  interface Names {

    InetAddress[] of(String host) throws UnknownHostException;
  }

  private final Names names;
  private final Targets targets;
  private final ExecutorService threads;

  Lookup(Names names, Targets targets) {
    this.names = names;
    this.targets = targets;
    AtomicInteger number = new AtomicInteger();
    this.threads =
        new ThreadPoolExecutor(
            0,
            MOST_THREADS,
            10,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> {
              Thread thread = new Thread(task, "webhook-lookup-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * One of the host's addresses; fails with {@link Failed} if there is none, or if any of them must
   * not be called.
   *
   * @param turn counts attempts, so that each address has its turn
   */
  CompletionStage<InetAddress> address(Receiver receiver, int turn) {
    try {
      return CompletableFuture.supplyAsync(() -> find(receiver, turn), threads);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedStage(new Failed("too many names are being looked up"));
    }
  }

  private InetAddress find(Receiver receiver, int turn) {
    List<InetAddress> all;
    try {
      all = List.of(names.of(receiver.host()));
    } catch (UnknownHostException e) {
      throw new Failed("the host is not known");
    }
    if (all.isEmpty()) {
      throw new Failed("the host is not known");
    }
    if (!all.stream().allMatch(address -> targets.allow(receiver, address))) {
      throw new Failed("the host is not public, and not allowed (--webhook-allow)");
    }
    return all.get(turn % all.size());
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
