package io.bitloom.coordinator.tracing;

import io.bitloom.common.trace.SpanRef;
import java.util.Optional;

/**
 * What a caller says of its own traces.
 *
 * @param span in which it made the call, if it records that
 * @param submits whether it writes the first span, {@code submit}, of the traces of the prompts
 *     that it appends
 */
public record CallersTrace(Optional<SpanRef> span, boolean submits) {

  /** It has none. */
  public static final CallersTrace NONE = new CallersTrace(Optional.empty(), false);
}
