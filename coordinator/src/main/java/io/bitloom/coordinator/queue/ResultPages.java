package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/** The outcomes of a job as {@code fragments/outcomes.lua} writes them, 16 to a page. */
final class ResultPages {

  private static final int PAGE = 16;
  private static final long MASK = 0xFFFF_FFFFL;

  private ResultPages() {}

  /** An outcome without the prompt's payload, and the group that has it. */
  record Outcome(
      long cursor,
      long group,
      long offset,
      ResultRecord.Status status,
      int attempt,
      ByteString body,
      Instant commitTime) {

    ResultRecord with(ByteString payload) {
      return new ResultRecord(cursor, offset, status, attempt, payload, body, commitTime);
    }
  }

  /** The pages that hold some outcomes. */
  static String[] fields(long afterCursor, int count) {
    return LongStream.rangeClosed(afterCursor / PAGE, (afterCursor + count - 1) / PAGE)
        .mapToObj(Long::toString)
        .toArray(String[]::new);
  }

  /** Reads at most {@code count} outcomes behind a cursor from a page. */
  static List<Outcome> read(long page, ByteString text, long afterCursor, int count) {
    List<Outcome> outcomes = new ArrayList<>();
    ByteBuffer bytes = text.asReadOnlyByteBuffer();
    for (long cursor = page * PAGE + 1; bytes.hasRemaining(); cursor++) {
      long group = Integer.toUnsignedLong(bytes.getInt());
      long offset = Integer.toUnsignedLong(bytes.getInt());
      bytes.get(); // images
      int attempt = Byte.toUnsignedInt(bytes.get());
      Instant time = Instant.ofEpochMilli((long) bytes.getShort() << 32 | bytes.getInt() & MASK);
      ResultRecord.Status status = status((char) bytes.get());
      int length = bytes.getInt();
      int start = bytes.position();
      if (cursor > afterCursor && cursor <= afterCursor + count) {
        ByteString body = text.substring(start, start + length);
        outcomes.add(new Outcome(cursor, group, offset, status, attempt, body, time));
      }
      bytes.position(start + length);
    }
    return outcomes;
  }

  /** An outcome's report: a letter for its status, length and body. */
  static byte[] report(ResultRecord.Status status, ByteString body) {
    ByteBuffer report = ByteBuffer.allocate(5 + body.size());
    report.put((byte) status.name().charAt(0)).putInt(body.size());
    body.copyTo(report);
    return report.array();
  }

  private static ResultRecord.Status status(char letter) {
    return switch (letter) {
      case 'S' -> ResultRecord.Status.SUCCEEDED;
      case 'F' -> ResultRecord.Status.FAILED;
      case 'L' -> ResultRecord.Status.LOST;
      default -> ResultRecord.Status.CANCELLED;
    };
  }
}
