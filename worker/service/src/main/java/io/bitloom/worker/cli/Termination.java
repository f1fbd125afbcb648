package io.bitloom.worker.cli;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns SIGTERM and SIGINT into an orderly end. The JVM gives a process its shutdown hooks and no
 * say in its exit code, so the hook asks the program to stop, waits for it, and then ends the JVM
 * itself.
 */
final class Termination {
  private static final Logger log = LoggerFactory.getLogger(Termination.class);
  private static final int RUNNING = -1;

  private final AtomicInteger exitCode = new AtomicInteger(RUNNING);
  private final CountDownLatch finished = new CountDownLatch(1);

  /**
   * From now on a signal calls {@code stop} and gives the program {@code grace} to call {@link
   * #finished}.
   */
  static Termination onSignal(Runnable stop, Duration grace) {
    Termination termination = new Termination();
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> termination.signalled(stop, grace), "termination"));
    return termination;
  }

  /** When standard input ends, that is when the parent process is gone, it is as after a signal. */
  static void onStdinEnd() {
    Thread watch =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // what is written there means nothing
                }
              } catch (IOException e) {
                log.debug("standard input broke", e);
              }
              System.exit(0); // runs the hook, which decides on the code
            },
            "stdin");
    watch.setDaemon(true);
    watch.start();
  }

  /** The program has ended by itself or as it was asked to. */
  void finished(int code) {
    exitCode.set(code);
    finished.countDown();
  }

  private void signalled(Runnable stop, Duration grace) {
    if (exitCode.get() != RUNNING) {
      return; // not a signal but the program's own exit
    }
    stop.run();
    try {
      boolean inTime = finished.await(grace.toMillis(), TimeUnit.MILLISECONDS);
      Runtime.getRuntime().halt(inTime ? exitCode.get() : 1);
    } catch (InterruptedException e) {
      Runtime.getRuntime().halt(1);
    }
  }
}
