package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;

/**
 * Payloads of prompts of one job as the queue keeps them together. It is passed on as it is, and
 * read only if somebody asks for one of them.
 */
public final class PayloadGroup {

  private final long id;
  private final ByteString packed;
  private volatile Map<Long, ByteString> byOffset;

  /**
   * A group as it is kept.
   *
   * @param id offset of its first prompt
   * @param packed for each prompt its offset less the id and the payload's length, both as varints,
   *     and the payload
   */
  public PayloadGroup(long id, ByteString packed) {
    this.id = id;
    this.packed = packed;
  }

  /** The same payloads of prompts whose offsets are counted so that the first has this one. */
  public PayloadGroup at(long firstOffset) {
    return firstOffset == id ? this : new PayloadGroup(firstOffset, packed);
  }

  /** Offset of its first prompt. */
  public long id() {
    return id;
  }

  public ByteString packed() {
    return packed;
  }

  /** The payload of a prompt; null if the group does not have it. */
  public ByteString payload(long offset) {
    Map<Long, ByteString> known = byOffset;
    if (known == null) {
      known = unpacked();
      byOffset = known;
    }
    return known.get(offset);
  }

  private Map<Long, ByteString> unpacked() {
    Map<Long, ByteString> payloads = new HashMap<>();
    CodedInputStream in = packed.newCodedInput();
    in.enableAliasing(true);
    try {
      while (!in.isAtEnd()) {
        long offset = id + in.readUInt64();
        payloads.put(offset, in.readBytes());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return payloads;
  }
}
