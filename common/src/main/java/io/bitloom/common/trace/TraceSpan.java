package io.bitloom.common.trace;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A span that has ended.
 *
 * @param self ids of the span
 * @param parent of the same trace; empty for the first one
 * @param start nanoseconds since 1970
 * @param end nanoseconds since 1970, not before the start
 * @param attributes values are strings, booleans, longs and doubles
 * @param error what went wrong, as an error code; empty if nothing did
 */
public record TraceSpan(
    SpanRef self,
    Optional<SpanRef> parent,
    String name,
    Kind kind,
    long start,
    long end,
    Map<String, Object> attributes,
    List<SpanRef> links,
    Optional<String> error) {

  /** Who takes part, as OpenTelemetry tells them apart. */
  public enum Kind {
    INTERNAL,
    SERVER,
    CLIENT,
    PRODUCER,
    CONSUMER
  }

  /** Begins to describe a span. */
  public static Builder of(SpanRef self, String name, Kind kind) {
    return new Builder(self, name, kind);
  }

  /** Describes a span. */
  public static final class Builder {
    private final SpanRef self;
    private final String name;
    private final Kind kind;
    private final Map<String, Object> attributes = new LinkedHashMap<>();
    private final List<SpanRef> links = new ArrayList<>();
    private Optional<SpanRef> parent = Optional.empty();
    private Optional<String> error = Optional.empty();

    private Builder(SpanRef self, String name, Kind kind) {
      this.self = self;
      this.name = name;
      this.kind = kind;
    }

    public Builder parent(SpanRef parent) {
      this.parent = Optional.of(parent);
      return this;
    }

    public Builder link(SpanRef link) {
      links.add(link);
      return this;
    }

    public Builder with(String attribute, String value) {
      attributes.put(attribute, value);
      return this;
    }

    public Builder with(String attribute, long value) {
      attributes.put(attribute, value);
      return this;
    }

    /** Takes an error code; empty: nothing went wrong. */
    public Builder error(String code) {
      error = code.isEmpty() ? Optional.empty() : Optional.of(code);
      return this;
    }

    /**
     * The span, between two readings of {@link TraceClock}. Readings of different machines may be
     * in the wrong order: then the span has no length.
     */
    public TraceSpan between(long start, long end) {
      return new TraceSpan(
          self, parent, name, kind, Math.min(start, end), end, attributes, links, error);
    }
  }
}
