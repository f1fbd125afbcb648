package io.bitloom.common.prompt;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.OptionalLong;

/**
 * Remembers names and the line in which each was first seen, for millions of them: an open hash
 * table of the first 64 bits of their SHA-256, 12 to 24 bytes a name. Among ten million names the
 * chance that two different ones are taken for the same is 3 in a million.
 */
public final class NameIndex {

  private static final int FIRST_CAPACITY = 1 << 10;

  private final MessageDigest sha256;
  private long[] hashes = new long[FIRST_CAPACITY];

  /** The line of the hash at the same place; 0 where there is none. */
  private int[] lines = new int[FIRST_CAPACITY];

  private int size;

  public NameIndex() {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Adds a name, unless it is there already: then its earlier line is returned.
   *
   * @param line 1 to 2³² - 1
   */
  public OptionalLong add(String name, long line) {
    if (size >= hashes.length - hashes.length / 4) {
      grow();
    }
    long hash = ByteBuffer.wrap(sha256.digest(name.getBytes(StandardCharsets.UTF_8))).getLong();
    int place = placeOf(hash);
    if (lines[place] != 0) {
      return OptionalLong.of(Integer.toUnsignedLong(lines[place]));
    }
    hashes[place] = hash;
    lines[place] = (int) line;
    size++;
    return OptionalLong.empty();
  }

  /** Where a hash is or, in the first empty place after its own, would be. */
  private int placeOf(long hash) {
    int mask = hashes.length - 1;
    int place = (int) hash & mask;
    while (lines[place] != 0 && hashes[place] != hash) {
      place = (place + 1) & mask;
    }
    return place;
  }

  private void grow() {
    long[] oldHashes = hashes;
    int[] oldLines = lines;
    hashes = new long[2 * oldHashes.length];
    lines = new int[2 * oldLines.length];
    for (int i = 0; i < oldHashes.length; i++) {
      if (oldLines[i] != 0) {
        int place = placeOf(oldHashes[i]);
        hashes[place] = oldHashes[i];
        lines[place] = oldLines[i];
      }
    }
  }
}
