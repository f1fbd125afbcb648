package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/** The reply of a script, read from front to back. */
final class Reply {

  private final Iterator<?> values;

  Reply(List<?> values) {
    this.values = values.iterator();
  }

  boolean hasNext() {
    return values.hasNext();
  }

  long nextLong() {
    return toLong(values.next());
  }

  /** 0 if there is none. */
  long nextCount() {
    Object value = values.next();
    return value == null ? 0 : toLong(value);
  }

  int nextInt() {
    return Math.toIntExact(nextLong());
  }

  boolean nextFlag() {
    return nextLong() != 0;
  }

  /** Null if there is none. */
  String nextString() {
    Object value = values.next();
    return value instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.UTF_8)
        : value == null ? null : value.toString();
  }

  ByteString nextBytes() {
    return UnsafeByteOperations.unsafeWrap((byte[]) values.next());
  }

  Optional<ByteString> nextBytesIfThere() {
    return Optional.ofNullable((byte[]) values.next()).map(UnsafeByteOperations::unsafeWrap);
  }

  Reply nextReply() {
    return new Reply((List<?>) values.next());
  }

  private static long toLong(Object value) {
    return value instanceof byte[] bytes
        ? Long.parseLong(new String(bytes, StandardCharsets.ISO_8859_1))
        : (Long) value;
  }
}
