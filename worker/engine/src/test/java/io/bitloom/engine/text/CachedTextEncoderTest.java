package io.bitloom.engine.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.bitloom.engine.tensor.PackedRows;
import io.bitloom.engine.tensor.Scope;
import io.bitloom.engine.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CachedTextEncoderTest {
  private static final int CHANNELS = 16;

  /** Bytes of "fox" with its end: features, letters and book-keeping. */
  private static final long FOX = 2 * CHANNELS * Float.BYTES + 2 * 3 + 256;

  /** Words by hash, and a list of what was asked for. */
  private static final class Recording implements TextEncoder {
    private final HashedWordEncoder words = new HashedWordEncoder(CHANNELS);
    private final List<List<String>> batches = new ArrayList<>();
    private boolean closed;

    @Override
    public int channels() {
      return words.channels();
    }

    @Override
    public PackedRows encode(List<String> prompts, int maxLength) {
      batches.add(prompts);
      return words.encode(prompts, maxLength);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  private final Recording recording = new Recording();

  private static float[] features(TextEncoder encoder, String... prompts) {
    try (Scope scope = Scope.open()) {
      return Tensors.floats(encoder.encode(List.of(prompts), 77).rows());
    }
  }

  @Test
  void everyTextIsEncodedOnceAndTheMissingOnesTogether() {
    try (CachedTextEncoder cache = new CachedTextEncoder(recording, 1 << 20)) {
      float[] expected = features(recording.words, "fox", "red dog", "fox", "");
      assertArrayEquals(expected, features(cache, "fox", "red dog", "fox", ""));
      assertArrayEquals(expected, features(cache, "fox", "red dog", "fox", ""));
      assertArrayEquals(
          features(recording.words, "owl", "red dog"), features(cache, "owl", "red dog"));
      assertEquals(List.of(List.of("fox", "red dog", ""), List.of("owl")), recording.batches);
      assertEquals(4, cache.misses());
      assertEquals(1 + 4 + 1, cache.hits());
    }
    assertTrue(recording.closed);
  }

  @Test
  void anotherLengthAndOtherSpacesAreAnotherText() {
    try (Scope scope = Scope.open();
        CachedTextEncoder cache = new CachedTextEncoder(recording, 1 << 20)) {
      assertEquals(List.of(3), cache.encode(List.of("red dog"), 77).lengths());
      assertEquals(List.of(2), cache.encode(List.of("red dog"), 2).lengths());
      cache.encode(List.of("red  dog"), 77);
      assertEquals(3, cache.misses());
    }
  }

  @Test
  void theLeastRecentlyUsedTextsGoWhenTheBytesAreUsedUp() {
    try (CachedTextEncoder cache = new CachedTextEncoder(recording, 2 * FOX)) {
      features(cache, "fox", "dog");
      assertEquals(2 * FOX, cache.bytes());
      features(cache, "fox");
      features(cache, "owl"); // the dog goes
      assertEquals(2 * FOX, cache.bytes());
      features(cache, "fox");
      assertEquals(3, cache.misses());
      float[] again = features(cache, "dog", "fox", "owl");
      assertArrayEquals(features(recording.words, "dog", "fox", "owl"), again);
      assertEquals(4, cache.misses());
      features(cache, "a text that is larger than all of the cache together");
      assertEquals(2 * FOX, cache.bytes());
    }
  }

  @Test
  void withoutMemoryNothingIsRemembered() {
    try (CachedTextEncoder cache = new CachedTextEncoder(recording, 0)) {
      features(cache, "fox");
      features(cache, "fox");
      assertEquals(2, cache.misses());
      assertEquals(0, cache.bytes());
    }
  }
}
