package io.bitloom.coordinator.jobs;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import io.bitloom.coordinator.queue.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.WebhookState;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import io.bitloom.v1.WebhookStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Jobs as callers see them, made from the queue's records. */
public final class JobMessages {

  static final int DEFAULT_PRIORITY = 5;

  // Parts of a job that can be changed, by their paths in update masks.
  static final String PRIORITY = "priority";
  static final String DISPLAY_NAME = "display_name";
  static final String LABELS = "labels";
  static final String WEBHOOK_URL = "webhook_url";

  // Parts that coordinators change, as the queue calls them.
  private static final String INPUT = "input";
  private static final String OUTPUT = "output";

  private JobMessages() {}

  /**
   * What the queue keeps of a job: what its creator said. The same job always gives the same bytes,
   * because the queue compares them when a request is repeated.
   */
  static ByteString spec(Job job) {
    Job.Builder spec =
        Job.newBuilder()
            .setDisplayName(job.getDisplayName())
            .setModel(job.getModel())
            .setDefaults(job.getDefaults())
            .setPriority(job.getPriority())
            .setRequestId(job.getRequestId())
            .setWebhookUrl(job.getWebhookUrl())
            .putAllLabels(job.getLabelsMap());
    if (job.hasInput()) {
      spec.setInput(job.getInput());
    }
    if (job.hasCompletionWindow()) {
      spec.setCompletionWindow(job.getCompletionWindow());
    }
    return bytes(spec.build());
  }

  /** The same message always gives the same bytes. */
  static ByteString bytes(Job spec) {
    byte[] bytes = new byte[spec.getSerializedSize()];
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.useDeterministicSerialization();
    try {
      spec.writeTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ByteString.copyFrom(bytes);
  }

  static Optional<Duration> completionWindow(Job job) {
    return job.hasCompletionWindow()
        ? Optional.of(Duration.ofMillis(Durations.toMillis(job.getCompletionWindow())))
        : Optional.empty();
  }

  /** A job as it stands. */
  public static Job of(JobRecord record) {
    Job.Builder job = described(record).toBuilder();
    job.setName(JobNames.of(record.id()))
        .setState(record.state())
        .setTenant(record.tenant())
        .setPriority(record.priority())
        .setCounts(counts(record.counts(), record.images()))
        .setCreateTime(timestamp(record.createTime()));
    record.expireTime().ifPresent(time -> job.setExpireTime(timestamp(time)));
    record.sealTime().ifPresent(time -> job.setSealTime(timestamp(time)));
    record.startTime().ifPresent(time -> job.setStartTime(timestamp(time)));
    record.endTime().ifPresent(time -> job.setEndTime(timestamp(time)));
    record.webhook().ifPresent(state -> job.setWebhook(webhook(record, state)));
    return job.build();
  }

  private static WebhookStatus webhook(JobRecord record, WebhookState state) {
    int pending = record.untold().size();
    WebhookStatus.Builder status =
        WebhookStatus.newBuilder()
            .setDelivered(state.told().size())
            .setPending(pending)
            .setGivenUp(state.unwanted() ? pending : state.givenUp().size())
            .setFailedAttempts(state.failures())
            .setLastError(state.error());
    state.next().ifPresent(time -> status.setNextAttemptTime(timestamp(time)));
    return status.build();
  }

  /**
   * What the queue keeps of a new display name, new labels or a new receiver.
   *
   * @param job that has them
   */
  static ByteString part(String path, Job job) {
    Job.Builder part = Job.newBuilder();
    if (path.equals(DISPLAY_NAME)) {
      part.setDisplayName(job.getDisplayName());
    } else if (path.equals(WEBHOOK_URL)) {
      part.setWebhookUrl(job.getWebhookUrl());
    } else {
      part.putAllLabels(job.getLabelsMap());
    }
    return bytes(part.build());
  }

  /** What a job says about itself now. */
  static Job described(JobRecord record) {
    Job created = specOf(record);
    if (record.changes().isEmpty()) {
      return created;
    }
    Job.Builder job = created.toBuilder();
    record
        .changes()
        .forEach(
            (path, bytes) -> {
              Job now = parse(record, bytes);
              if (path.equals(DISPLAY_NAME)) {
                job.setDisplayName(now.getDisplayName());
              } else if (path.equals(LABELS)) {
                job.clearLabels().putAllLabels(now.getLabelsMap());
              } else if (path.equals(WEBHOOK_URL)) {
                job.setWebhookUrl(now.getWebhookUrl());
              } else if (path.equals(INPUT)) {
                job.setInputProgress(now.getInputProgress());
              } else if (path.equals(OUTPUT)) {
                job.setOutput(now.getOutput());
              }
            });
    return job.build();
  }

  /** What the job's creator said. */
  static Job specOf(JobRecord record) {
    return parse(record, record.spec());
  }

  private static Job parse(JobRecord record, ByteString bytes) {
    try {
      return Job.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("the spec of job " + record.id() + " is broken", e);
    }
  }

  private static JobCounts counts(JobRecord.Counts counts, JobRecord.Images images) {
    return JobCounts.newBuilder()
        .setAppended(counts.appended())
        .setQueued(counts.queued())
        .setRunning(counts.running())
        .setSucceeded(counts.succeeded())
        .setFailed(counts.failed())
        .setCancelled(counts.cancelled())
        .setRetried(counts.retried())
        .setImages(images.asked())
        .setImagesDrawn(images.drawn())
        .build();
  }

  static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }
}
