package io.bitloom.common.schedule;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The table of aspect-ratio templates that Infinity was trained with, and the rule that picks one.
 *
 * <p>Source: the dynamic-resolution table of the official implementation. The table is stored for
 * ratios of at least 1; a wider template has the same scales with the sides exchanged, and its key
 * is {@code ⌊1000/r⌋/1000}.
 */
public final class ScaleSchedules {

  private static final double ROUNDING = 1.01;
  private static final String TABLE = "scale-schedules.txt";
  private static final List<AspectRatioTemplate> TEMPLATES = read();
  private static final AspectRatioTemplate FLATTEST =
      Collections.min(TEMPLATES, Comparator.comparingDouble(AspectRatioTemplate::hDivW));
  private static final AspectRatioTemplate TALLEST =
      Collections.max(TEMPLATES, Comparator.comparingDouble(AspectRatioTemplate::hDivW));

  private static final Map<String, ScaleSchedule> BY_ID =
      Arrays.stream(SizeClass.values())
          .flatMap(size -> of(size).stream())
          .collect(Collectors.toUnmodifiableMap(ScaleSchedule::id, schedule -> schedule));

  private ScaleSchedules() {}

  /** All templates, in the table's order: each tall one is followed by its wide mirror. */
  public static List<AspectRatioTemplate> templates() {
    return TEMPLATES;
  }

  /**
   * The template whose ratio is nearest; of two equally near ones the first in table order.
   *
   * @param hDivW height over width of the wanted image
   * @throws IllegalArgumentException unless the ratio is a positive, finite number
   */
  public static AspectRatioTemplate nearest(double hDivW) {
    if (!(hDivW > 0) || Double.isInfinite(hDivW)) {
      throw new IllegalArgumentException("height over width must be positive: " + hDivW);
    }
    AspectRatioTemplate nearest = TEMPLATES.get(0);
    for (AspectRatioTemplate template : TEMPLATES) {
      if (Math.abs(hDivW - template.hDivW()) < Math.abs(hDivW - nearest.hDivW())) {
        nearest = template;
      }
    }
    return nearest;
  }

  /** Whether a shape lies between the flattest and the tallest template, give or take rounding. */
  public static boolean covers(double hDivW) {
    return hDivW >= FLATTEST.hDivW() / ROUNDING && hDivW <= TALLEST.hDivW() * ROUNDING;
  }

  /** The template of the widest images. */
  public static AspectRatioTemplate flattest() {
    return FLATTEST;
  }

  /** The template of the highest images. */
  public static AspectRatioTemplate tallest() {
    return TALLEST;
  }

  /** The schedules of a size, in the table's order. */
  public static List<ScaleSchedule> of(SizeClass size) {
    return TEMPLATES.stream()
        .filter(template -> template.has(size))
        .map(template -> template.schedule(size))
        .toList();
  }

  /**
   * The schedule of a size whose ratio is nearest: the only one of a size that is square only.
   *
   * @throws IllegalArgumentException unless the ratio is a positive, finite number
   */
  public static ScaleSchedule nearest(double hDivW, SizeClass size) {
    AspectRatioTemplate nearest = nearest(hDivW);
    return nearest.has(size) ? nearest.schedule(size) : of(size).get(0);
  }

  /** The schedule with this {@link ScaleSchedule#id()}, if there is one. */
  public static Optional<ScaleSchedule> find(String id) {
    return Optional.ofNullable(BY_ID.get(id));
  }

  /** What people call the schedule with this id: {@code 3:2 0.25M}; the id if there is none. */
  public static String name(String id) {
    return find(id).map(ScaleSchedule::toString).orElse(id);
  }

  private static List<AspectRatioTemplate> read() {
    List<AspectRatioTemplate> templates = new ArrayList<>();
    try (InputStream in = ScaleSchedules.class.getResourceAsStream(TABLE);
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith("#")) {
          addWithMirror(line, templates);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(TABLE, e);
    }
    return List.copyOf(templates);
  }

  private static void addWithMirror(String line, List<AspectRatioTemplate> templates) {
    String[] words = line.trim().split("\\s+");
    double ratio = Double.parseDouble(words[0]);
    List<Scale> tall = new ArrayList<>();
    List<Scale> wide = new ArrayList<>();
    for (String word : Arrays.asList(words).subList(1, words.length)) {
      String[] sides = word.split("x");
      int height = Integer.parseInt(sides[0]);
      int width = Integer.parseInt(sides[1]);
      tall.add(new Scale(height, width));
      wide.add(new Scale(width, height));
    }
    templates.add(new AspectRatioTemplate(ratio, List.copyOf(tall)));
    if (ratio != 1.0) {
      templates.add(new AspectRatioTemplate((int) (1 / ratio * 1000) / 1000.0, List.copyOf(wide)));
    }
  }
}
