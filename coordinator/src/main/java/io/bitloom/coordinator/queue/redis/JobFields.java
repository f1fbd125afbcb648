package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.v1.JobState;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The fields of a job's hash, as the scripts name them. */
record JobFields(Map<String, byte[]> fields) {

  /** Begins the fields that {@code describe.lua} writes. */
  private static final String CHANGED = "now:";

  JobRecord toRecord(String jobId) {
    long running = number("running");
    long appended = number("appended");
    long succeeded = number("succeeded");
    long failed = number("failed");
    long cancelled = number("cancelled");
    return new JobRecord(
        jobId,
        text("tenant"),
        Math.toIntExact(number("priority")),
        ByteString.copyFrom(fields.get("spec")),
        changes(),
        state(fields.get("state")),
        new JobRecord.Counts(
            appended,
            appended - succeeded - failed - cancelled - running,
            running,
            succeeded,
            failed,
            cancelled,
            number("retried")),
        new JobRecord.Images(numberOrZero("images"), numberOrZero("drawn")),
        Instant.ofEpochMilli(number(fields.containsKey("born") ? "born" : "created")),
        time("expires"),
        time("sealed"),
        time("started"),
        time("ended"));
  }

  private Map<String, ByteString> changes() {
    Map<String, ByteString> changes = new HashMap<>();
    fields.forEach(
        (field, value) -> {
          if (field.startsWith(CHANGED)) {
            changes.put(field.substring(CHANGED.length()), ByteString.copyFrom(value));
          }
        });
    return changes;
  }

  static JobState state(byte[] text) {
    return JobState.valueOf("JOB_STATE_" + new String(text, StandardCharsets.UTF_8));
  }

  private String text(String field) {
    return new String(fields.get(field), StandardCharsets.UTF_8);
  }

  private long number(String field) {
    return Long.parseLong(text(field));
  }

  private long numberOrZero(String field) {
    return fields.containsKey(field) ? number(field) : 0;
  }

  private Optional<Instant> time(String field) {
    return fields.containsKey(field)
        ? Optional.of(Instant.ofEpochMilli(number(field)))
        : Optional.empty();
  }
}
