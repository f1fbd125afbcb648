package io.bitloom.coordinator.queue.redis;

import io.bitloom.coordinator.queue.Bucket;
import io.bitloom.coordinator.queue.NewPrompt;
import io.bitloom.coordinator.queue.StoredBytes;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prompts of one append as Redis keeps them.
 *
 * @param parts one for each bucket
 * @param images of all prompts
 * @param bytes of all prompts, as {@link StoredBytes} counts them
 */
public record PromptGroups(List<Part> parts, long images, long bytes) {

  /** More entries than this do not go into one entry of the stream of appends. */
  private static final int APPEND_PROMPTS = 256;

  /**
   * The prompts of one bucket.
   *
   * @param lastOffset of the last prompt
   * @param entries of all prompts, as {@code enqueue.lua} takes them
   */
  public record Part(Bucket bucket, long lastOffset, byte[] entries, List<Group> groups) {

    private List<Append> appends() {
      List<Append> appends = new ArrayList<>();
      int step = APPEND_PROMPTS * Tasks.ENTRY_BYTES;
      for (int from = 0; from < entries.length; from += step) {
        byte[] some = Arrays.copyOfRange(entries, from, Math.min(entries.length, from + step));
        long first = Integer.toUnsignedLong(ByteBuffer.wrap(some).getInt(4));
        appends.add(new Append(bucket, first, some));
      }
      return appends;
    }
  }

  /**
   * @param id offset of the first prompt
   */
  public record Group(long id, byte[] payloads) {}

  private record Append(Bucket bucket, long firstOffset, byte[] entries) {}

  /** Groups prompts whose offsets count up from the given one. */
  public static PromptGroups of(long offset, List<NewPrompt> prompts) {
    return of(offset, prompts, Bucket.Shard.ALL);
  }

  /** Likewise, of a part of a job, whose prompts are in this shard of their buckets. */
  static PromptGroups of(long offset, List<NewPrompt> prompts, Bucket.Shard shard) {
    Map<Bucket, List<Integer>> places = new LinkedHashMap<>();
    for (int i = 0; i < prompts.size(); i++) {
      places.computeIfAbsent(prompts.get(i).bucket(), b -> new ArrayList<>()).add(i);
    }
    List<Part> parts = new ArrayList<>();
    places.forEach(
        (bucket, ofBucket) -> parts.add(part(bucket.in(shard), offset, prompts, ofBucket)));
    return new PromptGroups(
        parts, prompts.stream().mapToLong(NewPrompt::images).sum(), StoredBytes.of(prompts));
  }

  private static Part part(
      Bucket bucket, long offset, List<NewPrompt> prompts, List<Integer> places) {
    List<Payloads.Payload> payloads =
        places.stream()
            .map(place -> new Payloads.Payload(offset + place, prompts.get(place).payload()))
            .toList();
    ByteBuffer entries = ByteBuffer.allocate(places.size() * Tasks.ENTRY_BYTES);
    List<Group> groups = new ArrayList<>();
    int from = 0;
    for (int size : Payloads.cut(payloads)) {
      long id = payloads.get(from).offset();
      groups.add(new Group(id, Payloads.pack(id, payloads.subList(from, from + size))));
      for (int place : places.subList(from, from + size)) {
        Tasks.putEntry(entries, id, offset + place, prompts.get(place).images());
      }
      from += size;
    }
    return new Part(bucket, payloads.get(from - 1).offset(), entries.array(), groups);
  }

  /** The arguments of {@code append.lua} that describe these prompts. */
  void addTo(Arguments arguments, long mostBytes, int jobParts) {
    List<Append> appends =
        parts.stream()
            .flatMap(part -> part.appends().stream())
            .sorted(Comparator.comparingLong(Append::firstOffset))
            .toList();
    arguments
        .add(parts.size())
        .add(appends.size())
        .add(images)
        .add(bytes)
        .add(mostBytes)
        .add(jobParts);
    for (Part part : parts) {
      arguments.add(Keys.id(part.bucket())).add(part.lastOffset());
    }
    for (Append append : appends) {
      arguments.add(Keys.id(append.bucket())).add(append.firstOffset()).add(append.entries());
    }
    for (Part part : parts) {
      for (Group group : part.groups()) {
        arguments.add(group.id()).add(group.payloads());
      }
    }
  }
}
