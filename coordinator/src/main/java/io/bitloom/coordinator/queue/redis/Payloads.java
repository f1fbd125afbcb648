package io.bitloom.coordinator.queue.redis;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.bitloom.coordinator.queue.PayloadGroup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * The payloads of a group of prompts in one value: for each prompt its offset less the group's, the
 * payload's length, both as varints, and the payload; {@link PayloadGroup} reads it.
 *
 * <p>Prompts of one bucket are kept in groups because they are drawn together: a lease reads a few
 * groups instead of many prompts, and what Redis spends on a field of a hash (about {@value
 * #FIELD_BYTES} bytes, and up to a quarter of the value, because its allocator has four sizes for
 * each power of two) is shared. {@link #cut} chooses groups that waste little.
 */
final class Payloads {

  private static final int GROUP_PROMPTS = 32;
  private static final int GROUP_BYTES = 64 * 1024;

  /** Entry of the hash table, the key's string and two places in the table. */
  private static final int FIELD_BYTES = 56;

  private Payloads() {}

  /** A payload and its prompt. */
  record Payload(long offset, ByteString bytes) {}

  static byte[] pack(long group, List<Payload> payloads) {
    byte[] packed = new byte[payloads.stream().mapToInt(p -> size(group, p)).sum()];
    CodedOutputStream out = CodedOutputStream.newInstance(packed);
    try {
      for (Payload payload : payloads) {
        out.writeUInt64NoTag(payload.offset() - group);
        out.writeBytesNoTag(payload.bytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed;
  }

  private static int size(long group, Payload payload) {
    return CodedOutputStream.computeUInt64SizeNoTag(payload.offset() - group)
        + CodedOutputStream.computeBytesSizeNoTag(payload.bytes());
  }

  /**
   * Cuts payloads into groups so that Redis needs the least memory.
   *
   * @return how many payloads are in each group
   */
  static int[] cut(List<Payload> payloads) {
    int n = payloads.size();
    long[] bytesTo = new long[n + 1];
    for (int i = 0; i < n; i++) {
      bytesTo[i + 1] = bytesTo[i] + size(payloads.get(0).offset(), payloads.get(i));
    }
    long[] cost = new long[n + 1];
    int[] last = new int[n + 1]; // size of the last group of the best cut of the first i
    for (int i = 1; i <= n; i++) {
      cost[i] = Long.MAX_VALUE;
      for (int size = 1; size <= Math.min(i, GROUP_PROMPTS); size++) {
        long bytes = bytesTo[i] - bytesTo[i - size];
        if (size > 1 && bytes > GROUP_BYTES) {
          break;
        }
        long with = cost[i - size] + FIELD_BYTES + allocated(bytes);
        if (with <= cost[i]) {
          cost[i] = with;
          last[i] = size;
        }
      }
    }
    int groups = 0;
    for (int i = n; i > 0; i -= last[i]) {
      groups++;
    }
    int[] sizes = new int[groups];
    for (int i = n; i > 0; i -= last[i]) {
      sizes[--groups] = last[i];
    }
    return sizes;
  }

  /** What jemalloc gives for a string of Redis. */
  static long allocated(long bytes) {
    long needed = bytes + (bytes < 252 ? 4 : 6); // header and end
    if (needed <= 64) {
      return (needed + 7) / 8 * 8;
    }
    long step = Long.highestOneBit(needed - 1) / 4;
    return (needed + step - 1) / step * step;
  }
}
