package io.bitloom.engine.checkpoint;

import com.google.gson.JsonPrimitive;

/** Floating-point numbers as JSON can have them. */
public final class JsonNumber {

  private JsonNumber() {}

  /** A number; {@code "NaN"}, {@code "Infinity"} or {@code "-Infinity"} where it is none. */
  public static JsonPrimitive of(double value) {
    return Double.isFinite(value)
        ? new JsonPrimitive(value)
        : new JsonPrimitive(Double.toString(value));
  }
}
