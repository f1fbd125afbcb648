package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The arguments of a script, in order. */
final class Arguments {

  private final List<byte[]> values = new ArrayList<>();

  Arguments add(byte[] value) {
    values.add(value);
    return this;
  }

  Arguments add(String value) {
    return add(value.getBytes(StandardCharsets.UTF_8));
  }

  Arguments add(long value) {
    return add(Long.toString(value));
  }

  Arguments add(Duration value) {
    return add(value.toMillis());
  }

  Arguments add(ByteString value) {
    return add(value.toByteArray());
  }

  /** Adds how many there are, then all of them. */
  Arguments addCounted(List<String> values) {
    add(values.size());
    values.forEach(this::add);
    return this;
  }

  byte[][] toArray() {
    return values.toArray(byte[][]::new);
  }
}
