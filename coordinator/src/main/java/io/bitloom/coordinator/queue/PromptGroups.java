package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prompts of one append as Redis keeps them. Prompts of one bucket are kept in groups, because they
 * are drawn together: that saves most of what Redis needs per key, and a lease reads a few groups
 * instead of many prompts.
 *
 * @param parts one for each bucket
 */
record PromptGroups(List<Part> parts) {

  private static final int GROUP_PROMPTS = 32;
  private static final int GROUP_BYTES = 64 * 1024;

  /** u32 offset, u8 images. */
  private static final int ENTRY = 5;

  /** u32 group, then as above. */
  private static final int QUEUE_ENTRY = 9;

  /** The prompts of one bucket. */
  record Part(Bucket bucket, long lastOffset, List<Group> groups) {

    /** The entries of all groups, as {@code enqueue.lua} takes them. */
    byte[] queueEntries() {
      return PromptGroups.queueEntries(groups);
    }
  }

  /**
   * Some prompts of a bucket.
   *
   * @param id offset of the first one
   * @param entries u32 offset and u8 images of each
   * @param payloads u32 length and bytes of each
   */
  record Group(long id, ByteString entries, ByteString payloads) {

    /** The payload of every prompt, by offset. */
    Map<Long, ByteString> byOffset() {
      Map<Long, ByteString> byOffset = new HashMap<>();
      int start = 0;
      for (int at = 0; at < entries.size(); at += ENTRY) {
        int length = payloads.substring(start, start + 4).asReadOnlyByteBuffer().getInt();
        byOffset.put(offset(at), payloads.substring(start + 4, start + 4 + length));
        start += 4 + length;
      }
      return byOffset;
    }

    private long offset(int at) {
      return Integer.toUnsignedLong(entries.substring(at, at + 4).asReadOnlyByteBuffer().getInt());
    }

    private long lastOffset() {
      return offset(entries.size() - ENTRY);
    }
  }

  /** Groups prompts whose offsets count up from the given one. */
  static PromptGroups of(long offset, List<NewPrompt> prompts) {
    Map<Bucket, List<Builder>> builders = new LinkedHashMap<>();
    for (int i = 0; i < prompts.size(); i++) {
      NewPrompt prompt = prompts.get(i);
      List<Builder> groups = builders.computeIfAbsent(prompt.bucket(), b -> new ArrayList<>());
      if (groups.isEmpty() || groups.get(groups.size() - 1).full()) {
        groups.add(new Builder(offset + i));
      }
      groups.get(groups.size() - 1).add(offset + i, prompt);
    }
    List<Part> parts = new ArrayList<>();
    builders.forEach(
        (bucket, groups) -> {
          List<Group> built = groups.stream().map(Builder::build).toList();
          parts.add(new Part(bucket, built.get(built.size() - 1).lastOffset(), built));
        });
    return new PromptGroups(parts);
  }

  /** The arguments that describe groups to {@code append.lua}: buckets, then groups by offset. */
  void addTo(Arguments arguments) {
    record Numbered(int part, Group group) {}
    arguments.add(parts.size());
    List<Numbered> groups = new ArrayList<>();
    for (int k = 0; k < parts.size(); k++) {
      Part part = parts.get(k);
      arguments.add(Keys.id(part.bucket())).add(part.lastOffset());
      for (Group group : part.groups()) {
        groups.add(new Numbered(k + 1, group));
      }
    }
    groups.sort(Comparator.comparingLong(numbered -> numbered.group().id()));
    for (Numbered numbered : groups) {
      Group group = numbered.group();
      arguments.add(numbered.part()).add(group.id()).add(group.entries()).add(group.payloads());
    }
  }

  /** The entries of groups, as {@code enqueue.lua} takes them. */
  static byte[] queueEntries(List<Group> groups) {
    int entries = groups.stream().mapToInt(group -> group.entries().size() / ENTRY).sum();
    ByteBuffer buffer = ByteBuffer.allocate(entries * QUEUE_ENTRY);
    for (Group group : groups) {
      for (int at = 0; at < group.entries().size(); at += ENTRY) {
        buffer.putInt((int) group.id());
        group.entries().substring(at, at + ENTRY).copyTo(buffer);
      }
    }
    return buffer.array();
  }

  /** The offset of the last prompt of groups in order. */
  static long lastOffset(List<Group> groups) {
    return groups.get(groups.size() - 1).lastOffset();
  }

  private static final class Builder {
    private final long id;
    private final List<ByteString> payloads = new ArrayList<>();
    private final ByteBuffer entries = ByteBuffer.allocate(GROUP_PROMPTS * ENTRY);
    private int bytes;

    Builder(long id) {
      this.id = id;
    }

    boolean full() {
      return payloads.size() == GROUP_PROMPTS || bytes >= GROUP_BYTES;
    }

    void add(long offset, NewPrompt prompt) {
      entries.putInt((int) offset).put((byte) prompt.images());
      payloads.add(prompt.payload());
      bytes += 4 + prompt.payload().size();
    }

    Group build() {
      ByteBuffer packed = ByteBuffer.allocate(bytes);
      for (ByteString payload : payloads) {
        packed.putInt(payload.size());
        payload.copyTo(packed);
      }
      return new Group(
          id, ByteString.copyFrom(entries.flip()), UnsafeByteOperations.unsafeWrap(packed.array()));
    }
  }
}
