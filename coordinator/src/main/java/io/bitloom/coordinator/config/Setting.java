package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.config.Settings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * A setting of the coordinator, declared in one place. It has the same name everywhere: {@code
 * lease-duration} in a file, {@code --lease-duration}, {@code BITLOOM_LEASE_DURATION}.
 *
 * @param <T> its values
 */
public final class Setting<T> {

  private static final String DEFAULT = "{default}";
  private static final String NEVER = "never";

  private final String name;
  private final String label;
  private final Class<?> type;
  private final String standard;
  private final String meaning;
  private final Function<String, T> reader;

  private Setting(
      String name,
      String label,
      Class<?> type,
      String standard,
      String meaning,
      Function<String, T> reader) {
    this.name = name;
    this.label = label;
    this.type = type;
    this.standard = standard;
    this.meaning = meaning.replace(DEFAULT, standard);
    this.reader = reader;
  }

  /**
   * Declares a text.
   *
   * @param label of the value in a table or usage
   * @param standard the default
   * @param meaning one sentence; <code>{default}</code> in it stands for the default
   */
  static Setting<String> text(String name, String label, String standard, String meaning) {
    return new Setting<>(name, label, String.class, standard, meaning, text -> text);
  }

  /** Declares a text that may be left out. */
  static Setting<Optional<String>> optionalText(String name, String label, String meaning) {
    return optional(name, label, meaning, text -> text);
  }

  /** Declares a file that may be left out. */
  static Setting<Optional<Path>> optionalFile(String name, String meaning) {
    return optional(name, "FILE", meaning, Path::of);
  }

  /** Declares texts that are separated by commas; none by default. */
  static Setting<List<String>> texts(String name, String label, String meaning) {
    return texts(name, label, "", meaning);
  }

  /** Declares texts that are separated by commas. */
  static Setting<List<String>> texts(String name, String label, String standard, String meaning) {
    return new Setting<>(
        name,
        label,
        String.class,
        standard,
        meaning,
        text ->
            Arrays.stream(text.split(",")).map(String::strip).filter(t -> !t.isEmpty()).toList());
  }

  /** Declares a length of time that may also be {@code never}. */
  static Setting<Optional<Duration>> durationOrNever(String name, String standard, String meaning) {
    return new Setting<>(
        name,
        "TIME",
        String.class,
        standard,
        meaning,
        text -> text.equals(NEVER) ? Optional.empty() : Optional.of(Settings.duration(name, text)));
  }

  /** Declares a number of bytes, with its unit. */
  static Setting<Long> bytes(String name, String standard, String meaning) {
    return new Setting<>(
        name, "SIZE", String.class, standard, meaning, text -> Settings.bytes(name, text));
  }

  /** Declares a number of bytes that may be left out. */
  static Setting<Optional<Long>> optionalBytes(String name, String meaning) {
    return optional(name, "SIZE", meaning, text -> Settings.bytes(name, text));
  }

  private static <V> Setting<Optional<V>> optional(
      String name, String label, String meaning, Function<String, V> reader) {
    return new Setting<>(
        name,
        label,
        String.class,
        "",
        meaning,
        text -> Optional.of(text).filter(value -> !value.isBlank()).map(reader));
  }

  /** Declares a length of time, with its unit. */
  static Setting<Duration> duration(String name, String standard, String meaning) {
    return new Setting<>(
        name, "TIME", String.class, standard, meaning, text -> Settings.duration(name, text));
  }

  /** Declares a whole number. */
  static Setting<Integer> number(String name, String label, int standard, String meaning) {
    return new Setting<>(
        name,
        label,
        int.class,
        Integer.toString(standard),
        meaning,
        text -> whole(name, text, Integer::valueOf));
  }

  /** Declares a whole number that may be very large. */
  static Setting<Long> largeNumber(String name, String label, long standard, String meaning) {
    return new Setting<>(
        name,
        label,
        long.class,
        Long.toString(standard),
        meaning,
        text -> whole(name, text, Long::valueOf));
  }

  private static <N> N whole(String name, String text, Function<String, N> reader) {
    try {
      return reader.apply(text);
    } catch (NumberFormatException e) {
      throw new ConfigException(name, text, "must be a whole number");
    }
  }

  /** Declares a switch, which is off unless somebody says otherwise. */
  static Setting<Boolean> flag(String name, String meaning) {
    return new Setting<>(name, "", boolean.class, "false", meaning, text -> truth(name, text));
  }

  private static Boolean truth(String name, String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw new ConfigException(name, text, "must be true or false");
    };
  }

  /** The key in a file. */
  public String name() {
    return name;
  }

  public String option() {
    return "--" + name;
  }

  /** The environment variable. */
  public String variable() {
    return "BITLOOM_" + name.replace('-', '_').toUpperCase(Locale.ROOT);
  }

  /** What stands for the value in a usage; empty for a switch. */
  public String label() {
    return label;
  }

  /** What an option takes: {@code String}, {@code int}, {@code long} or {@code boolean}. */
  public Class<?> type() {
    return type;
  }

  /** The default; empty where there is none. */
  public String standard() {
    return standard;
  }

  public String meaning() {
    return meaning;
  }

  /**
   * The value that a text stands for.
   *
   * @throws ConfigException with the name of this setting, if it is none
   */
  public T read(String text) {
    return reader.apply(text);
  }
}
