package io.bitloom.common.trace;

import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names a span of any trace.
 *
 * @param high first half of the trace id
 * @param low second half of the trace id
 * @param span id of the span in it
 */
public record SpanRef(long high, long low, long span) {

  /** Version 00 and the sampled flag, of https://www.w3.org/TR/trace-context. */
  private static final Pattern TRACEPARENT =
      Pattern.compile("(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?");

  private static final int SAMPLED = 1;

  /** The trace id as 32 hexadecimal digits. */
  public String traceId() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }

  /** The span's id as 16 hexadecimal digits. */
  public String spanId() {
    return HexFormat.of().toHexDigits(span);
  }

  /**
   * The span that ids name.
   *
   * @param traceId 32 hexadecimal digits
   * @param spanId 16 hexadecimal digits
   */
  public static SpanRef of(String traceId, String spanId) {
    return new SpanRef(
        Long.parseUnsignedLong(traceId, 0, 16, 16),
        Long.parseUnsignedLong(traceId, 16, 32, 16),
        Long.parseUnsignedLong(spanId, 16));
  }

  /** A span of the same trace that nobody names again: its id is drawn. */
  public static SpanRef inTraceOf(SpanRef other) {
    return new SpanRef(other.high, other.low, drawnId());
  }

  private static long drawnId() {
    long id = ThreadLocalRandom.current().nextLong();
    return id == 0 ? 1 : id;
  }

  /** As a {@code traceparent} header says that it is sampled. */
  public String traceparent() {
    return "00-" + traceId() + "-" + spanId() + "-01";
  }

  /**
   * The caller's span in a {@code traceparent} header.
   *
   * @param header null if there is none
   * @return empty if the header names no span or one that is not recorded
   */
  public static Optional<SpanRef> sampledIn(String header) {
    if (header == null) {
      return Optional.empty();
    }
    Matcher fields = TRACEPARENT.matcher(header);
    if (!fields.matches() || (Integer.parseInt(fields.group(3), 16) & SAMPLED) == 0) {
      return Optional.empty();
    }
    SpanRef named = of(fields.group(1), fields.group(2));
    boolean valid = (named.high != 0 || named.low != 0) && named.span != 0;
    return valid ? Optional.of(named) : Optional.empty();
  }
}
