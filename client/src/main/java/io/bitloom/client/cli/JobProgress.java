package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How far a job is: a bar that is redrawn on a terminal, a line every few seconds in a log, an
 * object every second for machines. Done are the prompts that have their images; what failed or was
 * cancelled is told beside it. The speed is that of the last half minute in which nothing hindered
 * the job, and there is none while something does. Thread-safe.
 */
final class JobProgress {

  private static final long WINDOW = TimeUnit.SECONDS.toNanos(30);
  private static final long SAMPLE = TimeUnit.MILLISECONDS.toNanos(250);
  private static final long REDRAW = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long JSON_PAUSE = TimeUnit.SECONDS.toNanos(1);
  private static final long LOG_PAUSE = TimeUnit.SECONDS.toNanos(5);
  private static final int MAX_BAR = 32;

  /** What there was at a time. */
  private record Sample(long nanos, long ended, long images) {}

  private final Console console;
  private final String phase;
  private final String job;
  private final LongSupplier clock;
  private final Deque<Sample> samples = new ArrayDeque<>();
  private long total;
  private long ended;
  private long failed;
  private long cancelled;
  private long images;
  private long backlog;
  private String obstacle = "";
  private boolean closed;
  private long updatedNanos;
  private long shownNanos = Long.MIN_VALUE;

  /**
   * @param phase what is being done: {@code submit} or {@code draw}
   * @param total prompts of the job
   * @param ended prompts that had an outcome before
   * @param images images that were there before
   * @param clock nanoseconds
   */
  JobProgress(
      Console console,
      String phase,
      String job,
      long total,
      long ended,
      long images,
      LongSupplier clock) {
    this.console = console;
    this.phase = phase;
    this.job = job;
    this.total = total;
    this.ended = ended;
    this.images = images;
    this.clock = clock;
    updatedNanos = clock.getAsLong();
    samples.add(new Sample(updatedNanos, ended, images));
  }

  /**
   * Shows the progress, unless it was shown a moment ago.
   *
   * @param ended prompts with an outcome
   * @param failed those of them that were tried and given up
   * @param cancelled those of them that were cancelled or expired
   * @param images images so far
   */
  synchronized void update(long ended, long failed, long cancelled, long images) {
    boolean catchingUp = this.ended < backlog;
    this.ended = ended;
    this.failed = failed;
    this.cancelled = cancelled;
    this.images = images;
    long now = clock.getAsLong();
    updatedNanos = now;
    if (isHindered() || catchingUp) {
      samples.clear(); // what was drawn unseen comes at once and says nothing about the speed
    }
    sample(now);
    if (shownNanos == Long.MIN_VALUE || now - shownNanos >= pause() || ended == total) {
      show(now);
    }
  }

  private void sample(long now) {
    if (samples.isEmpty() || now - samples.getLast().nanos() >= SAMPLE) {
      samples.add(new Sample(now, ended, images));
      while (now - samples.getFirst().nanos() > WINDOW && samples.size() > 1) {
        samples.removeFirst();
      }
    }
  }

  /** Has another total: prompts are still being appended. */
  synchronized void expect(long total) {
    this.total = total;
  }

  /**
   * So many prompts have an outcome already and only have to be fetched.
   *
   * @param backlog 0: what comes is as fast as it will be to the end
   */
  synchronized void catchUp(long backlog) {
    this.backlog = backlog;
  }

  /**
   * Says what keeps the job from going on, and shows that time passes.
   *
   * @param obstacle for people; empty: nothing that is known
   */
  synchronized void hindered(String obstacle) {
    boolean news = !obstacle.equals(this.obstacle);
    this.obstacle = obstacle;
    long now = clock.getAsLong();
    if (news) {
      samples.clear();
    }
    sample(now);
    boolean redrawn = console.columns() > 0 && shownNanos != Long.MIN_VALUE;
    if (redrawn || news && isHindered()) {
      show(now);
    }
  }

  private boolean isHindered() {
    return !obstacle.isEmpty();
  }

  /** Nanoseconds since the last {@link #update}. */
  synchronized long silence() {
    return clock.getAsLong() - updatedNanos;
  }

  /** Takes the bar off the terminal, for good. */
  synchronized void end() {
    closed = true;
    console.endLive();
  }

  private long pause() {
    if (console.isJson()) {
      return JSON_PAUSE;
    }
    return console.columns() > 0 ? REDRAW : LOG_PAUSE;
  }

  private void show(long now) {
    if (closed) {
      return;
    }
    shownNanos = now;
    long done = ended - failed - cancelled;
    double seconds = (now - samples.getFirst().nanos()) / 1e9;
    double imagesPerSecond = rate(images - samples.getFirst().images(), seconds);
    double promptsPerSecond = rate(ended - samples.getFirst().ended(), seconds);
    long left = promptsPerSecond > 0 ? Math.round((total - ended) / promptsPerSecond) : -1;
    if (console.isJson()) {
      JsonObject event = new JsonObject();
      event.addProperty("event", "progress");
      event.addProperty("phase", phase);
      event.addProperty("job", job);
      event.addProperty("done", done);
      event.addProperty("total", total);
      event.addProperty("failed", failed);
      event.addProperty("cancelled", cancelled);
      event.addProperty("images_per_second", Math.round(imagesPerSecond * 100) / 100.0);
      event.addProperty("eta_seconds", left < 0 ? null : left);
      event.addProperty("obstacle", isHindered() ? obstacle : null);
      console.emit(event);
      return;
    }
    String facts = facts(done, imagesPerSecond, left);
    if (console.columns() > 0) {
      int bar = Math.min(MAX_BAR, console.columns() - facts.length() - 3);
      console.live(bar < 4 ? cut(facts) : bar(bar, done) + "  " + facts);
    } else {
      console.say(facts);
    }
  }

  /** A line that wraps could not be taken back. */
  private String cut(String facts) {
    return facts.substring(0, Math.min(facts.length(), console.columns() - 1));
  }

  private static double rate(long count, double seconds) {
    return seconds > 0 ? count / seconds : 0;
  }

  private String facts(long done, double imagesPerSecond, long left) {
    StringBuilder facts = new StringBuilder(String.format(Locale.ROOT, "%,d/%,d", done, total));
    if (imagesPerSecond > 0) {
      facts.append(String.format(Locale.ROOT, "  %.1f images/s", imagesPerSecond));
    }
    if (left > 0) {
      facts.append("  ").append(duration(left)).append(" left");
    }
    if (failed > 0) {
      facts.append(String.format(Locale.ROOT, "  %,d failed", failed));
    }
    if (cancelled > 0) {
      facts.append(String.format(Locale.ROOT, "  %,d cancelled", cancelled));
    }
    if (isHindered()) {
      facts.append("  ").append(obstacle);
    }
    return facts.toString();
  }

  private String bar(int width, long done) {
    int full = total == 0 ? 0 : (int) (Math.min(done, total) * width / total);
    return "█".repeat(full) + "░".repeat(width - full);
  }

  /** {@code 42 s}, {@code 3 min 5 s}, {@code 2 h 10 min}, {@code 3 d 4 h}. */
  static String duration(long seconds) {
    if (seconds < 60) {
      return seconds + " s";
    }
    if (seconds < 3600) {
      return seconds / 60 + " min " + seconds % 60 + " s";
    }
    if (seconds < 86_400) {
      return seconds / 3600 + " h " + seconds % 3600 / 60 + " min";
    }
    return seconds / 86_400 + " d " + seconds % 86_400 / 3600 + " h";
  }
}
