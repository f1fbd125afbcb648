package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Lists of prompts as the scripts keep them; {@code fragments/tasks.lua} gives the layout. */
final class Tasks {

  static final int ENTRY_BYTES = 9;
  static final int MAX_IMAGES = 255;
  static final int MAX_ATTEMPTS = 255;

  /** No prompt has this offset; it stands for every one that does not fit. */
  static final long NO_OFFSET = 0xFFFF_FFFFL;

  private static final int TASK_BYTES = 10;
  private static final int MOST_BITS = 32;

  private Tasks() {}

  /** A prompt as a lease of its bucket holds it. */
  record Task(long group, long offset, int images, int attempt) {}

  static void putEntry(ByteBuffer entries, long group, long offset, int images) {
    entries.putInt((int) group).putInt((int) offset).put((byte) images);
  }

  static byte[] pack(List<Task> tasks) {
    ByteBuffer packed = ByteBuffer.allocate(tasks.size() * TASK_BYTES);
    for (Task task : tasks) {
      putEntry(packed, task.group(), task.offset(), task.images());
      packed.put((byte) task.attempt());
    }
    return packed.array();
  }

  static List<Task> parse(ByteString packed) {
    List<Task> tasks = new ArrayList<>(packed.size() / TASK_BYTES);
    for (ByteBuffer bytes = packed.asReadOnlyByteBuffer(); bytes.hasRemaining(); ) {
      tasks.add(
          new Task(
              Integer.toUnsignedLong(bytes.getInt()),
              Integer.toUnsignedLong(bytes.getInt()),
              Byte.toUnsignedInt(bytes.get()),
              Byte.toUnsignedInt(bytes.get())));
    }
    return tasks;
  }

  static int count(ByteString packed) {
    return packed.size() / TASK_BYTES;
  }

  static byte[] packOffsets(Collection<Long> offsets) {
    ByteBuffer packed = ByteBuffer.allocate(offsets.size() * 4);
    offsets.forEach(offset -> packed.putInt((int) (exists(offset) ? offset : NO_OFFSET)));
    return packed.array();
  }

  static List<Long> parseOffsets(ByteString packed) {
    List<Long> offsets = new ArrayList<>(packed.size() / 4);
    for (ByteBuffer bytes = packed.asReadOnlyByteBuffer(); bytes.hasRemaining(); ) {
      offsets.add(Integer.toUnsignedLong(bytes.getInt()));
    }
    return offsets;
  }

  /**
   * Arguments by which BITFIELD reads the bits of prompts, or sets them, in this order: neighbours
   * as one number of up to {@value #MOST_BITS} bits.
   */
  static List<String> bits(List<Long> offsets, boolean set) {
    List<String> arguments = new ArrayList<>();
    for (int from = 0, to; from < offsets.size(); from = to) {
      long first = offsets.get(from);
      to = from + 1;
      while (to < offsets.size()
          && to - from < MOST_BITS
          && offsets.get(to) == first + (to - from)) {
        to++;
      }
      arguments.add(set ? "SET" : "GET");
      arguments.add("u" + (to - from));
      arguments.add(Long.toString(exists(first) ? first : NO_OFFSET));
      if (set) {
        arguments.add(Long.toString((1L << (to - from)) - 1));
      }
    }
    return arguments;
  }

  private static boolean exists(long offset) {
    return offset >= 0 && offset < NO_OFFSET;
  }

  static List<Long> offsets(List<Task> tasks) {
    return tasks.stream().map(Task::offset).toList();
  }

  static ByteString unsafeWrap(byte[] bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes);
  }
}
