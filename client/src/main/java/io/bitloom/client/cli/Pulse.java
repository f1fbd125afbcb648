package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.error.BitloomException;
import io.bitloom.v1.Job;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Keeps a progress true while nothing comes: says when the coordinator does not answer, and asks it
 * what a job that stands still waits for.
 */
final class Pulse implements AutoCloseable {

  private static final long SHOW_MILLIS = 500;
  private static final long LOOK_MILLIS = 2000;
  private static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(3);

  private final BitloomClient client;
  private final JobProgress progress;
  private final ScheduledExecutorService threads =
      Executors.newScheduledThreadPool(2, Pulse::thread);
  private volatile String obstacle = "";

  /** There was an outage, and how far the job came meanwhile is not known yet. */
  private volatile boolean unseen;

  private Pulse(BitloomClient client, JobProgress progress) {
    this.client = client;
    this.progress = progress;
  }

  /** Of a job that is being submitted: only the coordinator can be away. */
  static Pulse ofSubmission(BitloomClient client, JobProgress progress) {
    Pulse pulse = new Pulse(client, progress);
    pulse.every(SHOW_MILLIS, () -> progress.hindered(client.outage().map(Obstacle::of).orElse("")));
    return pulse;
  }

  /**
   * Of a job that is being drawn.
   *
   * @param job resource name
   */
  static Pulse ofJob(BitloomClient client, String job, JobProgress progress) {
    Pulse pulse = new Pulse(client, progress);
    pulse.every(SHOW_MILLIS, pulse::show);
    pulse.every(LOOK_MILLIS, () -> pulse.look(job));
    return pulse;
  }

  private void every(long millis, Runnable task) {
    threads.scheduleWithFixedDelay(task, millis, millis, TimeUnit.MILLISECONDS);
  }

  private void show() {
    Optional<BitloomException> outage = client.outage();
    if (outage.isPresent()) {
      unseen = true;
      progress.hindered(Obstacle.of(outage.get()));
    } else if (!unseen) {
      progress.hindered(obstacle);
    }
  }

  private void look(String name) {
    if (!unseen && progress.silence() < SILENCE_NANOS) {
      obstacle = "";
      return;
    }
    try {
      Job job = client.getJob(name);
      progress.expect(job.getCounts().getAppended());
      progress.catchUp(JobReport.isOpen(job) ? JobReport.ended(job.getCounts()) : 0);
      obstacle = Obstacle.of(job, client);
    } catch (BitloomException e) {
      obstacle = ""; // whoever reads the results meets it, too
    }
    unseen = false;
  }

  @Override
  public void close() {
    threads.shutdownNow();
    progress.end();
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "pulse");
    thread.setDaemon(true);
    return thread;
  }
}
