package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import io.bitloom.coordinator.queue.Cursor;
import io.bitloom.coordinator.queue.ResultRecord;
import java.nio.ByteBuffer;
import java.time.Instant;

/** The outcomes of a job as {@code fragments/outcomes.lua} writes them. */
final class ResultEntries {

  private static final long MASK = 0xFFFF_FFFFL;

  private ResultEntries() {}

  /** An outcome without the prompt's payload, and the group that has it. */
  record Outcome(
      long cursor,
      long group,
      long offset,
      ResultRecord.Status status,
      int attempt,
      ByteString body,
      Instant commitTime) {

    /**
     * @param inJob place of the prompt in its job
     */
    ResultRecord with(long inJob, ByteString payload) {
      return new ResultRecord(Cursor.of(cursor), inJob, status, attempt, payload, body, commitTime);
    }
  }

  /** Reads the outcome at a cursor. */
  static Outcome read(long cursor, ByteString entry) {
    ByteBuffer bytes = entry.asReadOnlyByteBuffer();
    long group = Integer.toUnsignedLong(bytes.getInt());
    long offset = Integer.toUnsignedLong(bytes.getInt());
    bytes.get(); // images
    int attempt = Byte.toUnsignedInt(bytes.get());
    Instant time = Instant.ofEpochMilli((long) bytes.getShort() << 32 | bytes.getInt() & MASK);
    ResultRecord.Status status = status((char) bytes.get());
    return new Outcome(
        cursor, group, offset, status, attempt, entry.substring(bytes.position()), time);
  }

  /** An outcome's report: a letter for its status, and the body. */
  static byte[] report(ResultRecord.Status status, ByteString body) {
    byte[] report = new byte[1 + body.size()];
    report[0] = (byte) letter(status);
    body.copyTo(report, 1);
    return report;
  }

  /** How a status is written. */
  static char letter(ResultRecord.Status status) {
    return status == ResultRecord.Status.EXPIRED ? 'X' : status.name().charAt(0);
  }

  private static ResultRecord.Status status(char letter) {
    return switch (letter) {
      case 'S' -> ResultRecord.Status.SUCCEEDED;
      case 'F' -> ResultRecord.Status.FAILED;
      case 'L' -> ResultRecord.Status.LOST;
      case 'X' -> ResultRecord.Status.EXPIRED;
      default -> ResultRecord.Status.CANCELLED;
    };
  }
}
