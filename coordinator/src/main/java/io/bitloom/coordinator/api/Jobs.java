package io.bitloom.coordinator.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import io.bitloom.coordinator.jobs.JobNames;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobCounts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Jobs as callers see them, made from the queue's records. */
final class Jobs {

  static final int DEFAULT_PRIORITY = 5;

  private Jobs() {}

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
            .putAllLabels(job.getLabelsMap());
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

  static Job of(JobRecord record) {
    Job.Builder job = specOf(record).toBuilder();
    job.setName(JobNames.of(record.id()))
        .setState(record.state())
        .setTenant(record.tenant())
        .setPriority(record.priority())
        .setCounts(counts(record.counts()))
        .setCreateTime(timestamp(record.createTime()));
    record.expireTime().ifPresent(time -> job.setExpireTime(timestamp(time)));
    record.sealTime().ifPresent(time -> job.setSealTime(timestamp(time)));
    record.startTime().ifPresent(time -> job.setStartTime(timestamp(time)));
    record.endTime().ifPresent(time -> job.setEndTime(timestamp(time)));
    return job.build();
  }

  static Job specOf(JobRecord record) {
    try {
      return Job.parseFrom(record.spec());
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("the spec of job " + record.id() + " is broken", e);
    }
  }

  private static JobCounts counts(JobRecord.Counts counts) {
    return JobCounts.newBuilder()
        .setAppended(counts.appended())
        .setQueued(counts.queued())
        .setRunning(counts.running())
        .setSucceeded(counts.succeeded())
        .setFailed(counts.failed())
        .setCancelled(counts.cancelled())
        .setRetried(counts.retried())
        .build();
  }

  static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }
}
