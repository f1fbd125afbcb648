package io.bitloom.coordinator.chores;

import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.prompt.PromptFileException;
import io.bitloom.common.prompt.SeekableBytes;
import io.bitloom.coordinator.jobs.ObjectName;
import java.io.IOException;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Exception;

/**
 * An object as a stream of bytes, fetched range by range: a connection that breaks costs one range,
 * and of an object of any size one range is in memory. All ranges are of the same object, or
 * reading fails. To skip costs nothing.
 */
final class ObjectBytes extends SeekableBytes {

  static final int RANGE_BYTES = 8 << 20;

  private static final int PRECONDITION_FAILED = 412;
  private static final int NOT_FOUND = 404;
  private static final int FORBIDDEN = 403;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final int FIRST_OF_THE_SERVER = 500;

  private final S3Client s3;
  private final ObjectName name;
  private final Hold hold;
  private final Consumer<String> obstacle;
  private final int rangeBytes;
  private final String tag;
  private final long size;
  private byte[] range = new byte[0];
  private long rangeStart;
  private int at;

  /**
   * Looks at an object, as patiently as it is read: a server that does not answer is asked again
   * until nothing more is to be done.
   *
   * @param tag what the object was when it was looked at first; empty: this is the first time
   * @param obstacle told why it cannot be read now, and by an empty text that it can again
   * @throws PromptFileException if there is no such object, or another by now
   */
  static ObjectBytes open(
      S3Client s3, ObjectName name, String tag, Hold hold, Consumer<String> obstacle)
      throws IOException {
    return open(s3, name, tag, hold, obstacle, RANGE_BYTES);
  }

  static ObjectBytes open(
      S3Client s3,
      ObjectName name,
      String tag,
      Hold hold,
      Consumer<String> obstacle,
      int rangeBytes)
      throws IOException {
    HeadObjectResponse head =
        patiently(
            name,
            hold,
            obstacle,
            () -> s3.headObject(object -> object.bucket(name.bucket()).key(name.key())));
    if (head.eTag() == null) {
      throw new PromptFileException(
          name.toString(), "has no ETag, by which it would be seen if it changes");
    }
    if (!tag.isEmpty() && !tag.equals(head.eTag())) {
      throw changed(name);
    }
    return new ObjectBytes(s3, name, head, hold, obstacle, rangeBytes);
  }

  private ObjectBytes(
      S3Client s3,
      ObjectName name,
      HeadObjectResponse head,
      Hold hold,
      Consumer<String> obstacle,
      int rangeBytes) {
    this.s3 = s3;
    this.name = name;
    this.hold = hold;
    this.obstacle = obstacle;
    this.rangeBytes = rangeBytes;
    this.tag = head.eTag();
    this.size = Objects.requireNonNullElse(head.contentLength(), 0L);
  }

  /** What tells this object from others of its name. */
  String tag() {
    return tag;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public long position() {
    return rangeStart + at;
  }

  @Override
  public int read() throws IOException {
    return fill() ? range[at++] & 0xFF : -1;
  }

  @Override
  public int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!fill()) {
      return -1;
    }
    int count = Math.min(length, range.length - at);
    System.arraycopy(range, at, bytes, offset, count);
    at += count;
    return count;
  }

  @Override
  public long skip(long bytes) {
    long count = Math.max(0, Math.min(bytes, size - position()));
    if (count <= range.length - at) {
      at += (int) count;
    } else {
      rangeStart = position() + count;
      range = new byte[0];
      at = 0;
    }
    return count;
  }

  @Override
  public void seek(long position) {
    if (position >= rangeStart && position <= rangeStart + range.length) {
      at = (int) (position - rangeStart);
    } else {
      rangeStart = position;
      range = new byte[0];
      at = 0;
    }
  }

  /** All that is left: decompressors ask by this whether another part follows. */
  @Override
  public int available() {
    return (int) Math.min(Integer.MAX_VALUE, size - position());
  }

  /** False at the end. */
  private boolean fill() throws IOException {
    if (at < range.length) {
      return true;
    }
    long start = position();
    if (start >= size) {
      return false;
    }
    long end = Math.min(size, start + rangeBytes);
    byte[] next = patiently(name, hold, obstacle, () -> fetch(start, end));
    if (next.length != end - start) {
      throw new PromptFileException(name.toString(), "is on a server that knows no ranges");
    }
    range = next;
    rangeStart = start;
    at = 0;
    return true;
  }

  private byte[] fetch(long start, long end) {
    ResponseBytes<GetObjectResponse> answer =
        s3.getObjectAsBytes(
            object ->
                object
                    .bucket(name.bucket())
                    .key(name.key())
                    .ifMatch(tag)
                    .range("bytes=" + start + "-" + (end - 1)));
    byte[] bytes = answer.asByteArrayUnsafe();
    if (bytes.length < answer.response().contentLength()) {
      // The HTTP client takes the end of a connection for that of an answer.
      throw SdkClientException.create("the connection broke");
    }
    return bytes;
  }

  private static <T> T patiently(
      ObjectName name, Hold hold, Consumer<String> obstacle, Supplier<T> call) throws IOException {
    for (int failures = 0; ; failures++) {
      hold.check();
      try {
        T result = call.get();
        if (failures > 0) {
          obstacle.accept("");
        }
        return result;
      } catch (SdkException e) {
        if (e instanceof S3Exception refused) {
          refuse(name, refused);
        }
        obstacle.accept(name + " cannot be read now: " + FieldViolation.shown(e.getMessage()));
        hold.pause(failures);
      }
    }
  }

  /** What does not pass by itself. */
  private static void refuse(ObjectName name, S3Exception e) throws PromptFileException {
    switch (e.statusCode()) {
      case PRECONDITION_FAILED -> throw changed(name);
      case NOT_FOUND -> throw new PromptFileException(name.toString(), "is not there");
      case FORBIDDEN ->
          throw new PromptFileException(
              name.toString(), "must not be read with the rights of the coordinator");
      default -> {
        if (e.statusCode() < FIRST_OF_THE_SERVER && e.statusCode() != TOO_MANY_REQUESTS) {
          throw new PromptFileException(
              name.toString(), "cannot be read: S3 answers " + e.statusCode());
        }
      }
    }
  }

  private static PromptFileException changed(ObjectName name) {
    return new PromptFileException(
        name.toString(), "changed while it was read; submit it again as it is now");
  }
}
