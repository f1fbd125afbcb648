package io.bitloom.client.cluster;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Keeps one program running, as its policy says. Thread-safe. */
final class SupervisedProgram implements AutoCloseable {

  /** Starts the program once. */
  interface Launcher {
    ChildProcess launch(RotatingLog log) throws IOException;
  }

  private static final int WRONG_USAGE = 2;
  private static final int LAST_LINES = 20;

  private final String name;
  private final RotatingLog log;
  private final Launcher launcher;
  private final RestartPolicy policy;
  private final ScheduledExecutorService timer;
  private final Consumer<Restart> listener;
  private final CompletableFuture<String> givenUp = new CompletableFuture<>();

  // Guarded by this.
  private ChildProcess process;
  private long startedNanos;
  private int failures;
  private boolean restarts;
  private boolean closing;

  /**
   * @param timer in which it is started again
   * @param listener told before it is started again
   */
  SupervisedProgram(
      String name,
      RotatingLog log,
      Launcher launcher,
      RestartPolicy policy,
      ScheduledExecutorService timer,
      Consumer<Restart> listener) {
    this.name = name;
    this.log = log;
    this.launcher = launcher;
    this.policy = policy;
    this.timer = timer;
    this.listener = listener;
  }

  /** Starts it; until {@link #keepRunning} it is not started again. */
  synchronized void start() throws IOException {
    if (closing) {
      return;
    }
    startedNanos = System.nanoTime();
    ChildProcess started = launcher.launch(log);
    process = started;
    started.whenEnded(() -> ended(started), timer);
  }

  /** From now on it is started again when it ends. */
  synchronized void keepRunning() {
    restarts = true;
  }

  private synchronized void ended(ChildProcess ended) {
    if (closing) {
      return;
    }
    boolean early = System.nanoTime() - startedNanos < policy.early().toNanos();
    failures = early ? failures + 1 : 1;
    // Wrong options do not become right.
    if (!restarts || failures >= policy.failures() || ended.exitCode() == WRONG_USAGE) {
      givenUp.complete(epitaph(ended));
      return;
    }
    Duration wait = policy.waitAfter(failures);
    listener.accept(new Restart(name, ended.exitCode(), wait, log.file()));
    timer.schedule(this::startAgain, wait.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void startAgain() {
    try {
      start();
    } catch (IOException e) {
      givenUp.complete("the " + name + " cannot be started again: " + e.getMessage());
    }
  }

  private String epitaph(ChildProcess ended) {
    return "the "
        + name
        + " ended with exit code "
        + ended.exitCode()
        + (failures > 1 ? ", " + failures + " times in a row soon after its start" : "")
        + "; end of "
        + log.file()
        + ended.lastLines(LAST_LINES);
  }

  /** Completes with the reason, and the end of the log, when the program is given up. */
  CompletableFuture<String> givenUp() {
    return givenUp;
  }

  /** Tells it to end, without waiting for it. */
  synchronized void askToEnd() {
    closing = true;
    if (process != null) {
      process.askToEnd();
    }
  }

  /** Ends it and waits for that. */
  @Override
  public void close() {
    askToEnd();
    ChildProcess last;
    synchronized (this) {
      last = process;
    }
    if (last != null) {
      last.close();
    }
    log.close();
  }
}
