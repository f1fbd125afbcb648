package io.bitloom.engine;

import java.time.Duration;

/** Wall time that a batch spent in each stage. */
public record StageDurations(
    Duration text, Duration transformer, Duration decode, Duration encode) {

  public static final StageDurations ZERO =
      new StageDurations(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO);

  /** A batch's stages one after the other, from nanosecond clock readings between them. */
  static StageDurations between(long start, long encoded, long generated, long decoded) {
    return new StageDurations(
        Duration.ofNanos(encoded - start),
        Duration.ofNanos(generated - encoded),
        Duration.ofNanos(decoded - generated),
        Duration.ZERO);
  }

  StageDurations plus(StageDurations other) {
    return new StageDurations(
        text.plus(other.text),
        transformer.plus(other.transformer),
        decode.plus(other.decode),
        encode.plus(other.encode));
  }

  StageDurations plusEncode(Duration time) {
    return new StageDurations(text, transformer, decode, encode.plus(time));
  }
}
