package io.bitloom.loadtests.gpu;

import com.google.gson.JsonObject;

/** Builds the cells of a row, in their order. */
final class Row {
  private final JsonObject cells = new JsonObject();

  /** Adds a number. */
  Row with(String name, Number value) {
    cells.addProperty(name, value);
    return this;
  }

  /** Adds a text; of other objects what they say of themselves. */
  Row with(String name, Object value) {
    cells.addProperty(name, value.toString());
    return this;
  }

  /** Adds yes or no. */
  Row with(String name, boolean value) {
    cells.addProperty(name, value);
    return this;
  }

  /** Adds the median, and between which values it was. */
  Row with(String name, Repeats.Spread spread) {
    cells.addProperty(name, spread.median());
    cells.addProperty(name + ", least", spread.least());
    cells.addProperty(name + ", most", spread.most());
    return this;
  }

  JsonObject json() {
    return cells;
  }
}
