package io.bitloom.common.rules;

import io.bitloom.common.schedule.ScaleSchedules;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Width to height as people write it: {@code 3:2}, {@code 16:9}, {@code 2.39:1}. */
public record AspectRatio(double width, double height) {

  private static final String NUMBER = "(\\d{1,6}(?:\\.\\d{1,6})?)";
  private static final Pattern PATTERN = Pattern.compile(NUMBER + ":" + NUMBER);

  /** The ratio that the text stands for, unless it is none. */
  public static Optional<AspectRatio> parse(String text) {
    Matcher matcher = PATTERN.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    double width = Double.parseDouble(matcher.group(1));
    double height = Double.parseDouble(matcher.group(2));
    return width > 0 && height > 0 ? Optional.of(new AspectRatio(width, height)) : Optional.empty();
  }

  /** The shapes that can be drawn, for messages: {@code between 1:3 and 3:1}. */
  static String range() {
    return "between "
        + ScaleSchedules.tallest().shape()
        + " and "
        + ScaleSchedules.flattest().shape();
  }

  /** Height over width, the way templates are named. */
  public double hDivW() {
    return height / width;
  }
}
