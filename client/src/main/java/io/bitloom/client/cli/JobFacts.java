package io.bitloom.client.cli;

import com.google.protobuf.Timestamp;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.v1.Job;
import io.bitloom.v1.WebhookStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What people want to know of a job besides its state and its prompts.
 *
 * @param now the time for which it holds
 */
record JobFacts(Job job, Instant now) {

  /** {@code 700/3,000}: drawn of those asked for; empty for a job of an older coordinator. */
  String images() {
    long asked = job.getCounts().getImages();
    return asked == 0
        ? ""
        : String.format(Locale.ROOT, "%,d/%,d", job.getCounts().getImagesDrawn(), asked);
  }

  /** {@code 3.2 images/s}. */
  static String speed(double imagesPerSecond) {
    return imagesPerSecond < 0.1
        ? String.format(Locale.ROOT, "%.1f images/min", imagesPerSecond * 60)
        : String.format(Locale.ROOT, "%.1f images/s", imagesPerSecond);
  }

  /** Images a second from the job's start to its end, or until now; empty without any. */
  OptionalDouble averageSpeed() {
    long drawn = job.getCounts().getImagesDrawn();
    if (!job.hasStartTime() || drawn == 0) {
      return OptionalDouble.empty();
    }
    Instant end = job.hasEndTime() ? instant(job.getEndTime()) : now;
    double seconds = Duration.between(instant(job.getStartTime()), end).toMillis() / 1000.0;
    return seconds > 0 ? OptionalDouble.of(drawn / seconds) : OptionalDouble.empty();
  }

  /** {@code 3 min 5 s}: how long its first prompt waited, or has waited; empty if it never came. */
  String queueTime() {
    if (!job.hasStartTime() && job.hasEndTime()) {
      return "";
    }
    Instant end = job.hasStartTime() ? instant(job.getStartTime()) : now;
    Duration waited = Duration.between(instant(job.getCreateTime()), end);
    return JobProgress.duration(Math.max(0, waited.getSeconds()));
  }

  /** {@code team=art, week=48}; empty without labels. */
  String labels() {
    return new TreeMap<>(job.getLabelsMap())
        .entrySet().stream()
            .map(label -> FieldViolation.shown(label.getKey() + "=" + label.getValue()))
            .collect(Collectors.joining(", "));
  }

  /**
   * {@code 2 events, 1 to come, next attempt … (HTTP 500)}: what its receiver knows; may be empty.
   */
  String webhook() {
    if (!job.hasWebhook()) {
      return "";
    }
    WebhookStatus status = job.getWebhook();
    StringBuilder text = new StringBuilder(JobReport.plural(status.getDelivered(), "event"));
    if (status.getPending() > 0) {
      text.append(", ").append(status.getPending());
      text.append(status.getGivenUp() > 0 ? " given up" : " to come");
      if (status.hasNextAttemptTime()) {
        text.append(", next attempt ").append(JobReport.time(status.getNextAttemptTime()));
      }
    }
    if (!status.getLastError().isEmpty()) {
      text.append(" (").append(FieldViolation.shown(status.getLastError())).append(")");
    }
    return text.toString();
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
