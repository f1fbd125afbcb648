package io.bitloom.deploy;

import java.util.Locale;

/** Numbers with the units of a dashboard, short enough for an axis. */
final class Units {

  private Units() {}

  static String text(String unit, double value) {
    return switch (unit) {
      case "s" -> seconds(value);
      case "percentunit" -> number(100 * value) + " %";
      case "ops" -> number(value) + "/s";
      case "bytes" -> bytes(value);
      case "Bps" -> bytes(value) + "/s";
      case "currencyUSD" -> "$" + String.format(Locale.ROOT, "%.2f", value);
      case "short" -> number(value);
      default -> throw new IllegalArgumentException("a unit that is not known here: " + unit);
    };
  }

  private static String seconds(double value) {
    return value == 0
        ? "0"
        : value < 1
            ? number(1000 * value) + " ms"
            : value < 120 ? number(value) + " s" : number(value / 60) + " min";
  }

  private static String bytes(double value) {
    return value < 1e3
        ? number(value) + " B"
        : value < 1e6
            ? number(value / 1e3) + " kB"
            : value < 1e9 ? number(value / 1e6) + " MB" : number(value / 1e9) + " GB";
  }

  private static String number(double value) {
    String text =
        String.format(Locale.ROOT, value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%.0f", value);
    return text.contains(".") ? text.replaceAll("\\.?0+$", "") : text;
  }
}
